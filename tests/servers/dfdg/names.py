"""How things are called on the wire; beside each the mark of certainty of reference/jobnet-planner-contract.md.

A and B were read on published pages; C is our guess, and the real name may be another one.
"""

from __future__ import annotations

CITIZEN = "x-civilregistrationidentifier"
"""A IND2: the citizen's CPR number."""
REQUEST = "x-requestid"
"""A IND2: at most 46 characters; a second request with the same one is answered 412, for 7 days."""
ORGANISATION_TYPE, ORGANISATION_CODE = "x-organisationtypeidentifier", "x-organisationcode"
"""A SEC the two parts; C the names of the headers."""
USER_TYPE, USER = "x-requestusertypeidentifier", "x-requestuseridentifier"
"""A META the two parts; C the names of the headers."""
PURPOSE = "x-purpose"
"""C."""
LONGEST_REQUEST = 46

CPR = (
    r"((((0[1-9]|1[0-9]|2[0-9]|3[0-1])(01|03|05|07|08|10|12))|((0[1-9]|1[0-9]|2[0-9]|30)(04|06|09|11))"
    r"|((0[1-9]|1[0-9]|2[0-9])(02)))[0-9]{6})|0000000000"
)
"""A EBS3."""
GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""A EBS3."""
JOBCENTRE = r"[0-9]{5}"
"""A EBS3."""

SUMMONS, DEADLINE = 90000, 90001
"""A WSBI, WSBF: the entity of a message."""
CREATED, UPDATED, ANNULLED = 1, 2, 3
"""A WSBI: the kind of change."""
BY_CPR = 1
"""A WSBI: the type of identification."""

FOLLOW_UP, JOB_TALK, JOINT_TALK, CV_TALK = 4, 7, 17, 10
"""A IND24, B FRI: types of talk."""
IN_PERSON, PHONE, DIGITAL = 1, 2, 8
"""B IND1 for 8; the others are C."""
DFDG, JOBNET, PLANNER, CASE_SYSTEM = 30, 32, 90, 91
"""B BB for 30 and 32; planners and case systems have ids that we do not know."""
ONE_FUTURE = frozenset({FOLLOW_UP, JOB_TALK})
"""A IND24: of these a citizen has at most one that is still to come."""

RECORD = {
    "id": "indkaldelseIdentifier",
    "type": "samtaleType",
    "form": "samtaleform",
    "start": "startTidspunkt",
    "end": "slutTidspunkt",
    "caseworker": "sagsbehandlerIdentifier",
    "place": "sted",
    "selfbooked": "selvbooket",
    "status": "status",
    "link": "digitaltMoedelink",
    "group": "kontaktgruppe",
    "system": "registrerendeSystem",
}
"""Fields of a summons; B IND1 for selvbooket and digitaltMoedelink, the rest C."""
ACTIVE, GONE = "aktiv", "annulleret"
