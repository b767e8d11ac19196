"""Our request bodies say the same as those that Microsoft's own SDK makes of the same intent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.adapters.graph import directory, schedule
from syncd.adapters.graph.drafting import changes, new_event
from syncd.adapters.graph.entry import WHOLE_DECODER, entry_of, item_of
from syncd.adapters.graph.ours import STAMP_PROPERTY, UID_PROPERTY
from syncd.adapters.graph.subscriptions import subscribe
from syncd.model.entry import EntryDraft, Resource
from tests.contract.calendar_contract import at, draft

ROOM = Resource("r204@byhavn.example", "Lokale 2.04", invited=True)
WANTED = draft(room=ROOM, categories=("Selvbooking",))

pytestmark = pytest.mark.filterwarnings("ignore:This class is deprecated")


def written(event: Any) -> dict[str, Any]:
    """The JSON that the SDK sends."""
    from kiota_serialization_json.json_serialization_writer import JsonSerializationWriter

    writer = JsonSerializationWriter()
    writer.write_object_value(None, event)
    body = json.loads(writer.get_serialized_content())
    return {key: value for key, value in body.items() if key != "@odata.type"}


def sdk_event(wanted: EntryDraft, *, teams: bool = False) -> Any:
    """What somebody writes with the SDK who wants the same."""
    from msgraph.generated.models.attendee import Attendee
    from msgraph.generated.models.attendee_type import AttendeeType
    from msgraph.generated.models.body_type import BodyType
    from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
    from msgraph.generated.models.email_address import EmailAddress
    from msgraph.generated.models.event import Event
    from msgraph.generated.models.free_busy_status import FreeBusyStatus
    from msgraph.generated.models.item_body import ItemBody
    from msgraph.generated.models.location import Location
    from msgraph.generated.models.location_type import LocationType
    from msgraph.generated.models.online_meeting_provider_type import OnlineMeetingProviderType
    from msgraph.generated.models.sensitivity import Sensitivity
    from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty

    room = Attendee(type=AttendeeType.Resource, email_address=EmailAddress(address=ROOM.address, name=ROOM.name))
    room.odata_type = None
    event = Event(
        subject=wanted.summary,
        body=ItemBody(content_type=BodyType.Text, content="[syncd]\nLinje 1\nLinje 2\n[/syncd]"),
        start=DateTimeTimeZone(date_time="2026-11-30T10:00:00", time_zone="Europe/Copenhagen"),
        end=DateTimeTimeZone(date_time="2026-11-30T11:00:00", time_zone="Europe/Copenhagen"),
        is_all_day=False,
        show_as=FreeBusyStatus.Busy,
        sensitivity=Sensitivity.Private,
        categories=["Selvbooking"],
        location=Location(
            display_name="Lokale 2.04",
            location_email_address=ROOM.address,
            location_type=LocationType.ConferenceRoom,
        ),
        attendees=[room],
        is_reminder_on=True,
        reminder_minutes_before_start=15,
        response_requested=True,
        allow_new_time_proposals=False,
        transaction_id="syncd:1:m1@syncd.test",
        single_value_extended_properties=[
            SingleValueLegacyExtendedProperty(id=UID_PROPERTY, value=wanted.uid),
            SingleValueLegacyExtendedProperty(id=STAMP_PROPERTY, value=wanted.stamp.encode()),
        ],
    )
    if teams:
        event.is_online_meeting = True
        event.online_meeting_provider = OnlineMeetingProviderType.TeamsForBusiness
    return event


@pytest.mark.parametrize("teams", [False, True])
def test_a_create_is_the_sdks(teams: bool):
    assert new_event(WANTED, teams=teams) == written(sdk_event(WANTED, teams=teams))


def test_a_move_is_the_sdks_and_says_nothing_else():
    from msgraph.generated.models.event import Event
    from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty

    stands = WHOLE_DECODER.decode(json.dumps({**new_event(WANTED, teams=False), "id": "AAkA", "@odata.etag": "x"}))
    moved = draft(interval=at(13), generation=2, room=ROOM, categories=("Selvbooking",))
    later = sdk_event(replace(moved))
    wanted = Event(
        start=later.start,
        end=later.end,
        is_all_day=False,
        single_value_extended_properties=[
            SingleValueLegacyExtendedProperty(id=UID_PROPERTY, value=moved.uid),
            SingleValueLegacyExtendedProperty(id=STAMP_PROPERTY, value=moved.stamp.encode()),
        ],
    )
    wanted.start.date_time, wanted.end.date_time = "2026-11-30T14:00:00", "2026-11-30T15:00:00"

    assert changes(item_of(stands, "Europe/Copenhagen"), moved, teams=False) == written(wanted)


def test_what_stands_as_it_should_needs_no_change():
    body = {**new_event(WANTED, teams=True), "id": "AAkA", "@odata.etag": "x"}
    stands = item_of(WHOLE_DECODER.decode(json.dumps(body)), "Europe/Copenhagen")

    assert changes(stands, WANTED, teams=True) == {}


@pytest.mark.parametrize(("kind", "series"), [("seriesMaster", True), ("singleInstance", False), (None, False)])
def test_an_entry_that_somebody_made_repeat_says_so(kind: str | None, series: bool) -> None:
    body = {**new_event(WANTED, teams=False), "id": "AAkA", "@odata.etag": "x", "type": kind}
    stands = item_of(WHOLE_DECODER.decode(json.dumps(body)), "Europe/Copenhagen")

    assert series is entry_of(stands).series


def test_another_room_is_the_sdks_and_asks_it_alone():
    from msgraph.generated.models.attendee import Attendee
    from msgraph.generated.models.attendee_type import AttendeeType
    from msgraph.generated.models.email_address import EmailAddress
    from msgraph.generated.models.event import Event
    from msgraph.generated.models.location import Location
    from msgraph.generated.models.location_type import LocationType
    from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty

    other = Resource("r205@byhavn.example", "Lokale 2.05", invited=True)
    stands = WHOLE_DECODER.decode(json.dumps({**new_event(WANTED, teams=False), "id": "AAkA", "@odata.etag": "x"}))
    moved = draft(generation=2, room=other, categories=("Selvbooking",))
    asked = Attendee(type=AttendeeType.Resource, email_address=EmailAddress(address=other.address, name=other.name))
    asked.odata_type = None
    wanted = Event(
        location=Location(
            display_name=moved.location,
            location_email_address=other.address,
            location_type=LocationType.ConferenceRoom,
        ),
        attendees=[asked],
        response_requested=True,
        single_value_extended_properties=[
            SingleValueLegacyExtendedProperty(id=UID_PROPERTY, value=moved.uid),
            SingleValueLegacyExtendedProperty(id=STAMP_PROPERTY, value=moved.stamp.encode()),
        ],
    )

    assert changes(item_of(stands, "Europe/Copenhagen"), moved, teams=False) == written(wanted)


class Line:
    """Where a question goes, and its answer."""

    body: dict[str, Any]

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def ask(self, method: str, path: str, mailbox: str, *, body: dict[str, Any], prefer: str = "") -> bytes:
        self.body = body
        return self._answer

    def decoded(self, decoder: Any, content: bytes, mailbox: str) -> Any:
        return decoder.decode(content)


def test_a_subscription_is_the_sdks_and_lasts_as_long_as_graph_says():
    from msgraph.generated.models.subscription import Subscription

    line = Line(b'{"id": "s-1", "expirationDateTime": "2026-12-02T09:00:00Z"}')
    until, url = datetime(2026, 12, 3, 9, tzinfo=UTC), "https://syncd.example.dk/graph/notifications"
    wanted = Subscription(
        change_type="created,updated,deleted",
        resource="/users/anna@byhavn.example/events",
        notification_url=url,
        lifecycle_notification_url=url,
        client_state="word",
        expiration_date_time=until,
    )

    made = subscribe(line, "anna@byhavn.example", url, "word", until)  # type: ignore[arg-type]  # a line that only notes

    asked, theirs = (dict(one) for one in (line.body, written(wanted)))
    ends = [datetime.fromisoformat(one.pop("expirationDateTime")) for one in (asked, theirs)]
    assert (asked, ends) == (theirs, [until, until])
    assert made.expires == datetime(2026, 12, 2, 9, tzinfo=UTC)


def test_a_last_look_at_rooms_is_the_sdks():
    from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
    from msgraph.generated.users.item.calendar.get_schedule import get_schedule_post_request_body as sdk

    line, rooms = Line(b'{"value": []}'), ["r204@byhavn.example", "r205@byhavn.example"]
    wanted = sdk.GetSchedulePostRequestBody(
        schedules=rooms,
        start_time=DateTimeTimeZone(date_time="2026-11-30T09:00:00", time_zone="UTC"),
        end_time=DateTimeTimeZone(date_time="2026-11-30T10:00:00", time_zone="UTC"),
        availability_view_interval=15,
    )

    schedule.free(line, "anna@byhavn.example", rooms, at(9))  # type: ignore[arg-type]  # the same

    assert line.body == lowered(written(wanted))


def test_ids_of_the_premises_are_translated_as_the_sdk_asks_for_it():
    from msgraph.generated.models.exchange_id_format import ExchangeIdFormat
    from msgraph.generated.users.item.translate_exchange_ids import translate_exchange_ids_post_request_body as sdk

    line = Line(b'{"value": []}')
    wanted = sdk.TranslateExchangeIdsPostRequestBody(
        input_ids=["AAMkOld="],
        source_id_type=ExchangeIdFormat.EwsId,
        target_id_type=ExchangeIdFormat.RestImmutableEntryId,
    )

    directory.translated(line, "anna@byhavn.example", ["AAMkOld="])  # type: ignore[arg-type]  # the same

    assert line.body == lowered(written(wanted))


def lowered(body: dict[str, Any]) -> dict[str, Any]:
    """Parameters of actions are named either way: Graph reads them without regard to capitals."""
    return {name[0].lower() + name[1:]: value for name, value in body.items()}
