"""Making, listing and revoking access keys: hairpin's own, where AWS has another service."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Annotated

import msgspec

from signaling.errors import ErrorName, ServiceError
from signaling.sigv4 import AccessKey

from .operation import Context, Empty, Operation, Outcome
from .tables import MAX_ACCESS_KEYS, StoredKey, Tables
from .wire import Shape

_ID_BYTES = 10
_SECRET_BYTES = 30
"""As long as AWS's: AKIA and 16 characters, 40 characters."""


class CreateKeyResponse(Shape, frozen=True):
    access_key_id: str
    secret_access_key: str
    creation_time: float


class KeyInfo(Shape, frozen=True):
    access_key_id: str
    creation_time: float


class ListKeysResponse(Shape, frozen=True):
    access_key_list: list[KeyInfo]


class DeleteKeyRequest(Shape, frozen=True):
    access_key_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


def create_key(request: Empty, context: Context) -> Outcome:
    """A new key; its secret is told this once."""
    stored = add_key(context.tables, now=context.now, random_bytes=context.service.random_bytes)
    return Outcome(CreateKeyResponse(stored.key.id, stored.key.secret, stored.created))


def add_key(tables: Tables, *, now: float, random_bytes: Callable[[int], bytes]) -> StoredKey:
    """Make and keep a key.

    Raises:
        ServiceError: there are too many.
    """
    if len(tables.list_keys()) >= MAX_ACCESS_KEYS:
        raise ServiceError(
            ErrorName.CLIENT_LIMIT_EXCEEDED, f"There are {MAX_ACCESS_KEYS} access keys already."
        )
    key_id = "AKIA" + base64.b32encode(random_bytes(_ID_BYTES)).decode()
    secret = base64.b64encode(random_bytes(_SECRET_BYTES)).decode()
    stored = StoredKey(AccessKey(key_id, secret), now)
    tables.put_key(stored)
    return stored


def list_keys(request: Empty, context: Context) -> Outcome:
    """The ids of all keys that are kept, without their secrets."""
    infos = [KeyInfo(stored.key.id, stored.created) for stored in context.tables.list_keys()]
    return Outcome(ListKeysResponse(infos))


def delete_key(request: DeleteKeyRequest, context: Context) -> Outcome:
    """Revoke a key: nothing that it signed is good any more."""
    if not context.tables.remove_key(request.access_key_id):
        raise ServiceError(
            ErrorName.RESOURCE_NOT_FOUND, f"There is no access key {request.access_key_id}."
        )
    return Outcome(Empty())


ACCESS_KEY_OPERATIONS = (
    Operation("CreateAccessKey", "/createAccessKey", Empty, handle=create_key),
    Operation("ListAccessKeys", "/listAccessKeys", Empty, handle=list_keys),
    Operation("DeleteAccessKey", "/deleteAccessKey", DeleteKeyRequest, handle=delete_key),
)
