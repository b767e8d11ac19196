"""Names and paths of DFDG's services, each with the certainty with which it is known; a file may say others."""

from __future__ import annotations

from pydantic import Field

from syncd.section import Section


class HeaderNames(Section):
    """HTTP headers of every call."""

    citizen: str = Field(
        "x-civilregistrationIdentifier", description="A IND2: the citizen's civil registration number."
    )
    request: str = Field("x-requestId", description="A IND2: id of the request, at most 46 characters.")
    organisation_type: str = Field("x-organisationTypeIdentifier", description="C: OrganisationTypeIdentifier (A SEC).")
    organisation_code: str = Field("x-organisationCode", description="C: OrganisationCode (A SEC).")
    user_type: str = Field("x-requestUserTypeIdentifier", description="C: RequestUserTypeIdentifier (A META).")
    user: str = Field("x-requestUserIdentifier", description="C: UserIdentifier (A META).")
    purpose: str = Field("x-purpose", description="C: why the call is made; empty leaves it out.")


class PathNames(Section):
    """Paths below the service's address; {id} is the record's, the deadline's or the message's."""

    create: str = Field("/v2/Indkaldelse/{id}", description="C: POST; the caller chooses the id (B IND1).")
    update: str = Field("/v2/Indkaldelse/{id}", description="C: PUT.")
    annul: str = Field("/v2/Indkaldelse/{id}", description="C: DELETE.")
    read: str = Field("/v2/Indkaldelse/{id}", description="C: GET; that the operation exists is A IND24.")
    deadline: str = Field("/v1/Frist/{id}", description="C: GET.")
    messages: str = Field("/v1/Besked", description="C: GET; waiting messages, the oldest first.")
    acknowledge: str = Field("/v1/Besked/{id}", description="C: DELETE; the message was taken.")


class RecordNames(Section):
    """Fields of an Indkaldelse."""

    kind: str = Field("samtaleType", description="C: type of talk.")
    form: str = Field("samtaleform", description="C: form of the talk.")
    start: str = Field("startTidspunkt", description="C: begin.")
    end: str = Field("slutTidspunkt", description="C: end.")
    caseworker: str = Field("sagsbehandlerIdentifier", description="C: who holds it.")
    place: str = Field("sted", description="C: where it is held.")
    link: str = Field("digitaltMoedelink", description="B IND1: of a digital meeting, which needs one.")
    self_booked: str = Field("selvbooket", description="B IND1: booked by the citizen.")
    status: str = Field("status", description="C: how it stands.")
    group: str = Field("kontaktgruppe", description="C: kontaktgruppe; empty when it is not told.")
    annulled: str = Field("annulleret", description="C: what the status says of one that was annulled.")


class DeadlineNames(Section):
    """Fields of a Frist."""

    kind: str = Field("samtaleType", description="C: type of talk.")
    until: str = Field("fristDato", description="C: last day for booking.")
    latest: str = Field("sidsteAfholdelsesdato", description="B JK: SidsteAfholdelsesdato.")
    immediate: str = Field("straksbookingPaakraevet", description="B JK: StraksbookingPaakraevet.")
    status: str = Field("status", description="C: FristStatusType.")
    open: tuple[str, ...] = Field(
        ("aaben",), description="C: what the status says of one that is neither met nor closed."
    )


class MessageNames(Section):
    """Fields of a message (A WSBI, WSBF for what they say; C for what they are called)."""

    list: str = Field("beskeder", description="C: the field with the waiting messages.")
    id: str = Field("beskedIdentifier", description="C: the message's own id.")
    entity: str = Field("entitetIdentifier", description="C: 90000 or 90001.")
    change: str = Field("aendringType", description="C: 1 create, 2 update, 3 delete.")
    about: str = Field("identifier", description="C: indkaldelseId or fristId.")
    identified_by: str = Field("identifikationType", description="C: type of identification; 1 is CPR.")
    citizen: str = Field("identifikation", description="C: the identification.")
    count: str = Field("antal", description="C: query parameter that bounds how many come at once.")


class ErrorNames(Section):
    """Fields of an error."""

    code: str = Field("fejlkode", description="C: its number.")


class DfdgNames(Section):
    """What DFDG's services are called; everything marked C is a guess that the real Swagger must confirm."""

    version: int = Field(1, ge=1, le=1, description="Of this layout.")
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
