"""The messages of one generation in JSON: the same shapes with that generation's names, strict both ways."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Protocol, TypeVar, Union, get_args, get_origin

import msgspec

from syncd.web.jobnet.messages import MESSAGES, Message

M = TypeVar("M", bound=Message)


class Makes(Protocol):
    """Gives the type to make a message with."""

    def __getitem__(self, message: type[M]) -> type[M]:
        """That type."""
        ...


class AsTheyAre:
    """Messages without a generation's names, for one that writes them itself."""

    def __getitem__(self, message: type[M]) -> type[M]:
        """The message's own type."""
        return message


class Shapes:
    """Every message as a type with the generation's names.

    :param names: by message and field; a field without a name is not in this generation.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._made: dict[type[Message], type[Message]] = {}
        for message in MESSAGES:
            self._made[message] = self._renamed(message, names)

    def __getitem__(self, message: type[M]) -> type[M]:
        """The type to make such a message with; it is one of the message's own kind."""
        return self._made[message]  # type: ignore[return-value]  # made from it above

    def read(self, message: type[M], body: bytes) -> M:
        """What a body says.

        :raises msgspec.ValidationError: it is not such a message. :raises msgspec.DecodeError: it is no JSON.
        """
        return msgspec.json.decode(body, type=self[message])

    def written(self, message: Message) -> bytes:
        """A message as bytes that were read again, as the other side will.

        :raises msgspec.ValidationError: it would violate what we publish.
        """
        body = msgspec.json.encode(message)
        msgspec.json.decode(body, type=type(message))
        return body

    def schemas(self) -> dict[str, Any]:
        """JSON schemas of all messages, by name."""
        made = msgspec.json.schema_components(self._made.values(), ref_template="#/components/schemas/{name}")
        return dict(made[1])

    def _renamed(self, message: type[Message], names: Mapping[str, str]) -> type[Message]:
        fields: list[Any] = []
        wire: dict[str, str] = {}
        hidden: dict[str, Any] = {}
        for field in msgspec.structs.fields(message):
            name = names.get(f"{message.__name__}.{field.name}")
            if name is None:
                hidden[field.name] = None
                continue
            wire[field.name] = name
            kind = self._own(field.type)
            fields.append((field.name, kind) if field.required else (field.name, kind, field.default))
        return msgspec.defstruct(  # type: ignore[return-value]  # its fields are the message's
            message.__name__,
            fields,
            namespace={"__doc__": message.__doc__} | dict.fromkeys(hidden),
            rename=wire,
            frozen=True,
            kw_only=True,
            forbid_unknown_fields=True,
            omit_defaults=True,
        )

    def _own(self, kind: Any) -> Any:
        """*kind* with the messages in it replaced by this generation's."""
        if isinstance(kind, type) and issubclass(kind, Message):
            return self._made[kind]
        origin, inside = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return Annotated[(self._own(inside[0]), *inside[1:])]
        if origin in (Union, types.UnionType):
            return Union[tuple(self._own(part) for part in inside)]  # noqa: UP007 - made at run time
        if origin is list:
            return list[self._own(inside[0])]  # type: ignore[misc]  # made at run time
        return kind
