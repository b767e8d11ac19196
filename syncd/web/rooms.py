"""The rooms that meetings can be given."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Response

from syncd.model.directory import Room
from syncd.web.deps import Service
from syncd.web.described import answers, resource
from syncd.web.schemas import RoomsAnswer

router = resource("/api/v1/rooms")


@router.get("", summary="Rooms", responses=answers(200, RoomsAnswer, "All rooms."))
def list_rooms(service: Service) -> Response:
    """Every room of the configuration, by site, floor and name."""
    rooms = sorted(service.directory().rooms.values(), key=lambda room: (room.site, room.floor, room.name))
    content = msgspec.json.encode({"rooms": [_room(room) for room in rooms]})
    return Response(content, media_type="application/json", headers={"Cache-Control": "private"})


def _room(room: Room) -> dict[str, Any]:
    names = ("id", "name", "site", "floor", "capacity", "step_free")
    return {name: getattr(room, name) for name in names} | {"features": sorted(room.features)}
