from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import ServiceError

from .service import Caller

ARN = "arn:aws:kinesisvideo:us-west-2:000000000000:channel/demo/1600000000250"
OTHER = "arn:aws:kinesisvideo:us-west-2:000000000000:channel/other/1600000000250"


def with_demo(**tags: str) -> Caller:
    caller = Caller()
    caller.create("demo", Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return caller


def tags_of(caller: Caller) -> object:
    return caller.call("/ListTagsForResource", ResourceARN=ARN)["Tags"]


def test_tags_are_listed_as_a_map() -> None:
    assert tags_of(with_demo(b="2", a="1")) == {"a": "1", "b": "2"}


def test_a_channel_without_tags_has_an_empty_map() -> None:
    assert with_demo().call("/ListTagsForResource", ResourceARN=ARN) == {"Tags": {}}


def test_tagging_overwrites_what_has_the_same_key() -> None:
    caller = with_demo(a="1", b="2")

    caller.call("/TagResource", ResourceARN=ARN, Tags=[{"Key": "b", "Value": "3"}])

    assert tags_of(caller) == {"a": "1", "b": "3"}


def test_untagging_ignores_keys_that_are_not_there() -> None:
    caller = with_demo(a="1", b="2")

    caller.call("/UntagResource", ResourceARN=ARN, TagKeyList=["a", "c"])

    assert tags_of(caller) == {"b": "2"}


def test_a_fifty_first_tag_is_refused_and_none_of_its_company_is_kept() -> None:
    caller = with_demo(**{f"k{n}": "" for n in range(49)})

    with pytest.raises(ServiceError, match="TagsPerResourceExceededLimitException"):
        caller.call(
            "/TagResource",
            ResourceARN=ARN,
            Tags=[{"Key": "x", "Value": ""}, {"Key": "y", "Value": ""}],
        )

    found = tags_of(caller)
    assert isinstance(found, dict)
    assert len(found) == 49


def test_a_full_channel_may_still_change_a_tag() -> None:
    caller = with_demo(**{f"k{n}": "" for n in range(50)})

    assert caller.call("/TagResource", ResourceARN=ARN, Tags=[{"Key": "k7", "Value": "x"}]) == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("k" * 128, "v" * 256, id="longest"),
        pytest.param("_.:/=+-@", "_.:/=+-@", id="punctuation"),
        pytest.param("Straße 東京 ٣", "\u2003", id="letters-spaces-numbers"),
        pytest.param("k", "", id="empty-value"),
    ],
)
def test_a_tag_of_legal_characters_is_kept(key: str, value: str) -> None:
    caller = with_demo()

    caller.call("/TagResource", ResourceARN=ARN, Tags=[{"Key": key, "Value": value}])

    assert tags_of(caller) == {key: value}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("", "v", id="empty-key"),
        pytest.param("k" * 129, "v", id="long-key"),
        pytest.param("k", "v" * 257, id="long-value"),
        pytest.param("k#", "v", id="punctuation-in-key"),
        pytest.param("k", "v!", id="punctuation-in-value"),
        pytest.param("k", "a\nb", id="newline"),
        pytest.param("k\0", "v", id="nul"),
        pytest.param("k", "\u0301", id="combining-mark"),
        pytest.param("k", "😀", id="symbol"),
    ],
)
def test_a_tag_of_other_characters_is_an_invalid_argument(key: str, value: str) -> None:
    caller = with_demo()

    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        caller.call("/TagResource", ResourceARN=ARN, Tags=[{"Key": key, "Value": value}])

    assert tags_of(caller) == {}


@pytest.mark.parametrize(
    ("path", "members"),
    [
        pytest.param("/TagResource", {"Tags": []}, id="tag-nothing"),
        pytest.param("/TagResource", {}, id="tag-without-tags"),
        pytest.param(
            "/TagResource",
            {"Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]},
            id="tag-a-key-twice",
        ),
        pytest.param(
            "/TagResource",
            {"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]},
            id="tag-51",
        ),
        pytest.param("/UntagResource", {"TagKeyList": []}, id="untag-nothing"),
        pytest.param("/UntagResource", {}, id="untag-without-keys"),
        pytest.param("/UntagResource", {"TagKeyList": [""]}, id="untag-empty-key"),
        pytest.param("/UntagResource", {"TagKeyList": ["k#"]}, id="untag-bad-key"),
        pytest.param("/UntagResource", {"TagKeyList": "k"}, id="untag-text"),
        pytest.param("/UntagResource", {"TagKeyList": [f"k{n}" for n in range(51)]}, id="untag-51"),
        pytest.param("/ListTagsForResource", {"NextToken": "AAAA"}, id="list-invented-token"),
        pytest.param("/ListTagsForResource", {"NextToken": "!"}, id="list-bad-token"),
    ],
)
def test_a_malformed_request_is_an_invalid_argument(path: str, members: dict[str, object]) -> None:
    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        with_demo().call(path, ResourceARN=ARN, **members)


@pytest.mark.parametrize(
    ("path", "members"),
    [
        pytest.param("/TagResource", {"Tags": [{"Key": "k", "Value": ""}]}, id="tag"),
        pytest.param("/UntagResource", {"TagKeyList": ["k"]}, id="untag"),
        pytest.param("/ListTagsForResource", {}, id="list"),
    ],
)
def test_tags_of_what_is_not_there_are_not_found(path: str, members: dict[str, object]) -> None:
    caller = with_demo()

    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        caller.call(path, ResourceARN=OTHER, **members)
    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        caller.call(path, **members)


keys = st.text("abc:", min_size=1, max_size=2)


@given(st.lists(st.dictionaries(keys, keys, min_size=1) | st.sets(keys, min_size=1)))
def test_tags_end_as_a_dictionary_would(steps: list[dict[str, str] | set[str]]) -> None:
    caller = with_demo()
    model: dict[str, str] = {}

    for step in steps:
        if isinstance(step, dict):
            model |= step
            tags = [{"Key": key, "Value": value} for key, value in step.items()]
            caller.call("/TagResource", ResourceARN=ARN, Tags=tags)
        else:
            model = {key: value for key, value in model.items() if key not in step}
            caller.call("/UntagResource", ResourceARN=ARN, TagKeyList=sorted(step))

    assert tags_of(caller) == model
