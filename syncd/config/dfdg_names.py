"""Names and paths of DFDG's services, each with the certainty with which it is known; a file may say others."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from syncd.section import Section


class HeaderNames(Section):
    """HTTP headers of every call."""

    citizen: Annotated[str, Field(description="A IND2: the citizen's civil registration number.")] = (
        "x-civilregistrationIdentifier"
    )
    request: Annotated[str, Field(description="A IND2: id of the request, at most 46 characters.")] = "x-requestId"
    organisation_type: Annotated[str, Field(description="C: OrganisationTypeIdentifier (A SEC).")] = (
        "x-organisationTypeIdentifier"
    )
    organisation_code: Annotated[str, Field(description="C: OrganisationCode (A SEC).")] = "x-organisationCode"
    user_type: Annotated[str, Field(description="C: RequestUserTypeIdentifier (A META).")] = (
        "x-requestUserTypeIdentifier"
    )
    user: Annotated[str, Field(description="C: UserIdentifier (A META).")] = "x-requestUserIdentifier"
    purpose: Annotated[str, Field(description="C: why the call is made; empty leaves it out.")] = "x-purpose"


class PathNames(Section):
    """Paths below the service's address; {id} is the record's, the deadline's or the message's."""

    create: Annotated[str, Field(description="C: POST; the caller chooses the id (B IND1).")] = "/v2/Indkaldelse/{id}"
    update: Annotated[str, Field(description="C: PUT.")] = "/v2/Indkaldelse/{id}"
    annul: Annotated[str, Field(description="C: DELETE.")] = "/v2/Indkaldelse/{id}"
    read: Annotated[str, Field(description="C: GET; that the operation exists is A IND24.")] = "/v2/Indkaldelse/{id}"
    deadline: Annotated[str, Field(description="C: GET.")] = "/v1/Frist/{id}"
    messages: Annotated[str, Field(description="C: GET; waiting messages, the oldest first.")] = "/v1/Besked"
    acknowledge: Annotated[str, Field(description="C: DELETE; the message was taken.")] = "/v1/Besked/{id}"


class RecordNames(Section):
    """Fields of an Indkaldelse."""

    kind: Annotated[str, Field(description="C: type of talk.")] = "samtaleType"
    form: Annotated[str, Field(description="C: form of the talk.")] = "samtaleform"
    start: Annotated[str, Field(description="C: begin.")] = "startTidspunkt"
    end: Annotated[str, Field(description="C: end.")] = "slutTidspunkt"
    caseworker: Annotated[str, Field(description="C: who holds it.")] = "sagsbehandlerIdentifier"
    place: Annotated[str, Field(description="C: where it is held.")] = "sted"
    link: Annotated[str, Field(description="B IND1: of a digital meeting, which needs one.")] = "digitaltMoedelink"
    self_booked: Annotated[str, Field(description="B IND1: booked by the citizen.")] = "selvbooket"
    status: Annotated[str, Field(description="C: how it stands.")] = "status"
    group: Annotated[str, Field(description="C: kontaktgruppe; empty when it is not told.")] = "kontaktgruppe"
    annulled: Annotated[str, Field(description="C: what the status says of one that was annulled.")] = "annulleret"


class DeadlineNames(Section):
    """Fields of a Frist."""

    kind: Annotated[str, Field(description="C: type of talk.")] = "samtaleType"
    until: Annotated[str, Field(description="C: last day for booking.")] = "fristDato"
    latest: Annotated[str, Field(description="B JK: SidsteAfholdelsesdato.")] = "sidsteAfholdelsesdato"
    immediate: Annotated[str, Field(description="B JK: StraksbookingPaakraevet.")] = "straksbookingPaakraevet"
    status: Annotated[str, Field(description="C: FristStatusType.")] = "status"
    open: Annotated[
        tuple[str, ...], Field(description="C: what the status says of one that is neither met nor closed.")
    ] = ("aaben",)


class MessageNames(Section):
    """Fields of a message (A WSBI, WSBF for what they say; C for what they are called)."""

    list: Annotated[str, Field(description="C: the field with the waiting messages.")] = "beskeder"
    id: Annotated[str, Field(description="C: the message's own id.")] = "beskedIdentifier"
    entity: Annotated[str, Field(description="C: 90000 or 90001.")] = "entitetIdentifier"
    change: Annotated[str, Field(description="C: 1 create, 2 update, 3 delete.")] = "aendringType"
    about: Annotated[str, Field(description="C: indkaldelseId or fristId.")] = "identifier"
    identified_by: Annotated[str, Field(description="C: type of identification; 1 is CPR.")] = "identifikationType"
    citizen: Annotated[str, Field(description="C: the identification.")] = "identifikation"
    count: Annotated[str, Field(description="C: query parameter that bounds how many come at once.")] = "antal"


class ErrorNames(Section):
    """Fields of an error."""

    code: Annotated[str, Field(description="C: its number.")] = "fejlkode"


class DfdgNames(Section):
    """What DFDG's services are called; everything marked C is a guess that the real Swagger must confirm."""

    version: Annotated[int, Field(ge=1, le=1, description="Of this layout.")] = 1
    headers: HeaderNames = HeaderNames()
    paths: PathNames = PathNames()
    record: RecordNames = RecordNames()
    deadline: DeadlineNames = DeadlineNames()
    message: MessageNames = MessageNames()
    error: ErrorNames = ErrorNames()

    def guesses(self) -> list[tuple[str, str]]:
        """Every name that nobody has confirmed (marked C): its path, and what it is now."""
        found = []
        for table in ("headers", "paths", "record", "deadline", "message", "error"):
            section: Section = getattr(self, table)
            for name, field in type(section).model_fields.items():
                if (field.description or "").startswith("C"):
                    found.append((f"{table}.{name}", str(getattr(section, name))))
        return found
