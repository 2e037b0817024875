"""How requests and responses look as JSON: member names, order, typed structs.

A request that is no JSON object is a SerializationException; members that break the
API model are an InvalidArgumentException. Members that the model does not know are
ignored, and null is as good as absent, as the service's own framework has it.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from signaling.errors import ErrorName, ServiceError

_ACRONYMS = {"arn": "ARN"}


def member_name(attribute: str) -> str:
    """``channel_arn`` is ``ChannelARN`` on the wire."""
    return "".join(_ACRONYMS.get(word, word.capitalize()) for word in attribute.split("_"))


class Shape(msgspec.Struct, frozen=True, rename=member_name, omit_defaults=True):
    """A structure of the API model."""


ChannelNameText = Annotated[
    str, msgspec.Meta(min_length=1, max_length=256, pattern=r"^[a-zA-Z0-9_.-]+\Z")
]
ArnText = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=1024,
        pattern=r"^arn:[a-z0-9-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+\Z",
    ),
]
VersionText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9]+\Z")]
NextTokenText = Annotated[str, msgspec.Meta(max_length=1024, pattern=r"^[a-zA-Z0-9+/=]*\Z")]
ClientIdText = ChannelNameText

S = TypeVar("S", bound=Shape)

_encoder = msgspec.json.Encoder(order="sorted")


def decode_request(body: bytes, shape: type[S]) -> S:
    """Read the members of a request; an empty body has none.

    Raises:
        ServiceError: it is no JSON object, or breaks a constraint.
    """
    try:
        members = _without_nulls(msgspec.json.decode(body or b"{}", type=dict[str, object]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ServiceError(
            ErrorName.SERIALIZATION, "The request body must be a JSON object."
        ) from error
    try:
        return msgspec.convert(members, shape)
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from error


def encode_response(response: Shape) -> bytes:
    """As JSON, members sorted by name as the service writes them."""
    return _encoder.encode(response)


def invalid(message: str) -> ServiceError:
    """An InvalidArgumentException."""
    return ServiceError(ErrorName.INVALID_ARGUMENT, message)


def _without_nulls(members: dict[str, object]) -> dict[str, object]:
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in members.items()
        if value is not None
    }
