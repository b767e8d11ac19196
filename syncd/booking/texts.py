"""Every sentence that syncd writes into calendars or says to staff about a meeting (Danish, for its readers).

Nothing here takes a citizen's data, so nothing can leak it: entries carry the kind of talk, a reference code and a
room, never a name, a CPR number or a free text.
"""

from __future__ import annotations

from syncd.model.booking import Meeting

ROOM_SUBJECT = "Optaget"
"""All that a room's calendar, which everybody can read, says."""

FOREIGN = (
    "I kalenderen ligger allerede en aftale med samme id fra en anden installation af syncd. Den er ikke rørt. "
    "Kontrollér, at kun én installation skriver i kalenderen."
)
NO_TIME = (
    "Aftalen i kalenderen har ikke noget brugbart tidspunkt, så bookingen er ikke ændret. "
    "Ret tidspunktet i kalenderen, eller flyt bookingen."
)
SERIES = (
    "Medarbejderen har gjort aftalen i kalenderen til en serie. syncd rører ikke serien, og bookingen følger den ikke. "
    "Fjern gentagelsen igen, eller flyt bookingen, hvis mødet holdes på et andet tidspunkt."
)
SERIES_STAYS = (
    "Mødet skal ikke længere stå i kalenderen, men aftalen er gjort til en serie, som syncd ikke sletter. "
    "Slet mødets dato i serien."
)
BROUGHT_BACK = (
    "Mødet blev aflyst, da medarbejderen slettede aftalen, og den er siden lagt tilbage i kalenderen. Bookingen er "
    "stadig aflyst, og syncd lader aftalen stå. Book et nyt møde med borgeren, eller slet aftalen."
)
FOUGHT_OVER = (
    "Et andet program ændrer aftalen i kalenderen igen og igen. syncd retter den ikke mere i dag. "
    "Kontrollér aftalen, og find programmet (ofte en telefon eller en kalender-synkronisering)."
)
ROOM_MISSING = "Mødet har intet lokale, og ingen passende lokaler er ledige. Find et lokale, eller flyt mødet."
NO_LINK = (
    "Mødet holdes på video, men Microsoft har ikke lavet noget Teams-link til det. Giv borgeren et link, og "
    "kontrollér, at medarbejderen må oprette Teams-møder."
)
CONFLICT = "Mødet overlapper noget andet i kalenderen. Flyt en af aftalerne, eller lad dem stå."
RESTORED = (
    "Kalenderen kendte en nyere udgave af mødet end databasen, som vist er gendannet fra en kopi. "
    "Kalenderens tidspunkt gælder. Kontrollér, at borgeren har fået samme tidspunkt."
)
RESTORED_UNKNOWN = (
    "Mødet stod i kalenderen, men ikke i databasen, som vist er gendannet fra en kopi. Det er taget op igen, som det "
    "står i kalenderen. Find ud af, hvem borgeren er (spørg medarbejderen), og kontrollér tidspunktet."
)
MAILBOX_UNKNOWN = "Kalenderen findes ikke længere i opsætningen. Vælg en anden medarbejder, eller ret opsætningen."
LASTING = (RESTORED, RESTORED_UNKNOWN)
"""Sentences that stay until a person has looked; all others go when their cause does."""
SHOULD_BE_GONE = "Mødet er aflyst, men kan endnu ikke fjernes fra kalenderen. Slet aftalen i hånden, hvis den står der."
NOT_SEEN = "Aftalen kan ikke findes i kalenderen, og kalenderen har ikke kunnet læses igen."
AWAY = "Den maskine, der skulle skrive, var væk for længe. En anden ser på mødet, eller den samme igen."
NEVER_WRITTEN = "Mødet nåede aldrig ind i kalenderen, før det blev holdt. Kontrollér adgangen til kalenderen."


def lagging(reason: str) -> str:
    """What staff are told when a calendar could not be brought up to date for long.

    :param reason: the last error's sentence, which never holds a citizen's data.
    """
    return f"Kalenderen er endnu ikke opdateret med mødet; syncd bliver ved med at prøve. Sidste fejl: {reason}"


def reference(meeting_id: str) -> str:
    """The short code by which staff and citizens name a meeting to each other."""
    return f"{meeting_id[:4]}-{meeting_id[4:8]}".upper()


def shift(before: Meeting, after: Meeting) -> str:
    """From where to where a meeting went, for the audit log: ``2026-12-01T09:00:00+00:00 anna > … bo``."""
    return " > ".join(f"{one.interval.start.isoformat()} {one.caseworker}" for one in (before, after))
