"""What a verdict says, in Danish and English."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.model.verdict import Reason

SENTENCES: Mapping[Reason, tuple[str, str]] = {
    Reason.OFFERED: ("Tiden er ledig og kan bookes.", "The time is on offer."),
    Reason.NOT_SERVING: (
        "Sagsbehandleren har ikke dette mødetilbud.",
        "The caseworker does not serve this offer.",
    ),
    Reason.NOT_ENTITLED: (
        "Reglerne for mødetilbuddet omfatter ikke borgeren.",
        "The rules of the offer do not let the citizen book it.",
    ),
    Reason.NOT_OWN: (
        "Kun borgerens egen sagsbehandler kan bookes.",
        "Only the citizen's own caseworker can be booked.",
    ),
    Reason.AFTER_LATEST: (
        "Mødet skal holdes senest {latest}; tiden ligger senere.",
        "The meeting must be held on {latest} at the latest; the time is later.",
    ),
    Reason.TEAM_CLOSED: (
        "Teamet er lukket for selvbooking.",
        "The team is closed for self-booking.",
    ),
    Reason.TEAM_IN_SHADOW: (
        "Teamet kører i skygge: tider beregnes, men tilbydes ikke.",
        "The team runs in shadow: times are computed but not offered.",
    ),
    Reason.MAINTENANCE: ("{da}", "{en}"),
    Reason.NEVER_READ: (
        "Kalenderen er ikke læst endnu; ukendt tid er aldrig ledig tid.",
        "The calendar has not been read yet; unknown time is never free time.",
    ),
    Reason.REFUSED_LOSS: (
        "Der forsvandt så meget fra kalenderen på én gang, at en medarbejder skal se på det.",
        "So much vanished from the calendar at once that a person must look at it.",
    ),
    Reason.UNREADABLE: (
        "{objects} element(er) i kalenderen kan ikke forstås; indtil de er set efter, tilbydes intet.",
        "{objects} object(s) in the calendar cannot be understood; nothing is offered until they are looked at.",
    ),
    Reason.STALE: (
        "Kalenderen er sidst læst {as_of_wall}; det er for længe siden til at stole på den.",
        "The calendar was last read at {as_of_wall}; that is too long ago to be trusted.",
    ),
    Reason.NOT_COVERED: (
        "Kalenderen er ikke læst så langt frem.",
        "The calendar is not read that far.",
    ),
    Reason.PAST: ("Tiden er passeret.", "The time is past."),
    Reason.OFF_GRID: (
        "Møder begynder hvert {step}. minut regnet fra midnat; dette tidspunkt er ikke et af dem.",
        "Meetings begin every {step} minutes from midnight; this is not one of those times.",
    ),
    Reason.CLOSED_DAY: ("Der er lukket den dag: {why}.", "Closed that day: {why}."),
    Reason.EXCEPTION: (
        "Den dag gælder andre tider end normalt ({why}): {hours}.",
        "Other hours than usual hold that day ({why}): {hours}.",
    ),
    Reason.NO_HOURS: ("Ingen arbejdstid den dag.", "No working hours that day."),
    Reason.OUTSIDE_HOURS: (
        "Hele mødet ({minutes} minutter) ligger ikke inden for arbejdstiden den dag: {hours}.",
        "The whole meeting ({minutes} minutes) does not lie within that day's working hours: {hours}.",
    ),
    Reason.CALENDAR_HOURS: (
        "Sagsbehandlerens egen kalender har lukket {span_wall}.",
        "The caseworker's own calendar is closed {span_wall}.",
    ),
    Reason.NOT_MARKED: (
        "Kun tid, som sagsbehandleren har mærket til selvbooking, tilbydes; her er intet mærke.",
        "Only time that the caseworker marked for self-booking is offered; there is no mark here.",
    ),
    Reason.SITE_CLOSED: (
        "Stedet er ikke åbent for borgere under hele mødet; der er åbent {hours}.",
        "Citizens cannot get into the site during the whole meeting; it is open {hours}.",
    ),
    Reason.EVENT: (
        "Optaget i kalenderen ({busy_da}) {span_wall}{buffer_da}.",
        "Taken in the calendar ({busy}) {span_wall}{buffer}.",
    ),
    Reason.AWAY: (
        "Sagsbehandleren er fraværende {span_wall}.",
        "The caseworker is away {span_wall}.",
    ),
    Reason.FULL: (
        "Alle {seats} pladser på gruppemødet er taget.",
        "All {seats} seats of the group meeting are taken.",
    ),
    Reason.BOOKED: (
        "Et booket møde optager {span_wall} (med buffer).",
        "A booked meeting takes {span_wall} (with buffers).",
    ),
    Reason.HELD: (
        "Tiden er reserveret til en anden indtil {expires_wall}.",
        "The time is reserved for somebody else until {expires_wall}.",
    ),
    Reason.NO_PARTNER: (
        "Der mangler en, der er ledig samtidig ({wanted}); {unknown} af dem har en kalender, der ikke kan bruges nu.",
        "Nobody is free at the same time ({wanted}); the calendars of {unknown} of them cannot be used now.",
    ),
    Reason.NOTICE: (
        "Der skal være mindst {notice} minutter til mødet begynder.",
        "It must be at least {notice} minutes until the meeting begins.",
    ),
    Reason.HORIZON: (
        "Der kan bookes {days} dage frem; tiden ligger senere.",
        "Booking is open {days} days ahead; the time is later.",
    ),
    Reason.RESERVED: (
        "Tiden er forbeholdt straksbooking indtil {until_wall}.",
        "The time is kept for immediate booking until {until_wall}.",
    ),
    Reason.CAP: (
        "Loftet på {most} {unit_da} pr. {period_da} er nået ({number} er booket).",
        "The cap of {most} {unit} per {period} is reached ({number} are booked).",
    ),
    Reason.SHAPED: (
        "Dagen er travl, og tiden ville efterlade et hul i et lokale, som ingen kan bruge; en bedre tid ligger tæt på.",
        "The day is busy, and this time would leave a gap in a room that nobody can use; a better one is near.",
    ),
    Reason.NO_ROOM: (
        (
            "Intet egnet lokale er ledigt: {suitable} opfylder kravene, {unknown} af dem kan ikke bruges, "
            "fordi deres kalender ikke er læst."
        ),
        (
            "No suitable room is free: {suitable} meet the requirement, {unknown} of them cannot be used because "
            "their calendar was not read."
        ),
    ),
}

BUSY_DA = {
    "free": "heldagsaftale",
    "tentative": "foreløbig",
    "busy": "optaget",
    "out-of-office": "ikke til stede",
    "working-elsewhere": "arbejder andetsteds",
    "unavailable": "ikke til rådighed",
}


def sentences(reason: Reason, facts: Mapping[str, str]) -> dict[str, str]:
    """The sentence for *reason* by language, with *facts* put in."""
    danish, english = SENTENCES[reason]
    if reason is Reason.EXCEPTION and facts["hours"] == "-":
        return {"da": danish.format(**{**facts, "hours": "ingen"}), "en": english.format(**{**facts, "hours": "none"})}
    return {"da": danish.format(**facts), "en": english.format(**facts)}
