from __future__ import annotations

import pytest

from signaling import AccessKey, ServiceError
from signaling.control import StoredKey
from signaling.control.tables import MAX_ACCESS_KEYS

from .service import NOW, Caller


def test_a_key_is_told_with_its_secret_once_and_then_listed_without() -> None:
    caller = Caller()

    made = caller.call("/createAccessKey")

    assert made["AccessKeyId"] == "AKIAAAAAAAAAAAAAAAAA"
    assert len(str(made["SecretAccessKey"])) == 40
    assert caller.call("/listAccessKeys") == {
        "AccessKeyList": [{"AccessKeyId": made["AccessKeyId"], "CreationTime": NOW}]
    }


def test_a_deleted_key_is_gone() -> None:
    caller = Caller()
    made = caller.call("/createAccessKey")

    assert caller.call("/deleteAccessKey", AccessKeyId=made["AccessKeyId"]) == {}

    assert caller.call("/listAccessKeys") == {"AccessKeyList": []}
    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        caller.call("/deleteAccessKey", AccessKeyId=made["AccessKeyId"])


@pytest.mark.parametrize("members", [{}, {"AccessKeyId": ""}, {"AccessKeyId": 1}])
def test_a_deletion_names_a_key(members: dict[str, object]) -> None:
    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        Caller().call("/deleteAccessKey", **members)


def test_there_are_no_more_keys_than_are_held_in_memory() -> None:
    caller = Caller()
    for number in range(MAX_ACCESS_KEYS):
        caller.tables.put_key(StoredKey(AccessKey(str(number), "secret"), NOW))

    with pytest.raises(ServiceError, match="ClientLimitExceededException"):
        caller.call("/createAccessKey")
