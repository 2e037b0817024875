from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import ServiceError
from signaling.control.tokens import make_token, read_token

KEY = b"a key"
texts = st.text("abc.-", max_size=256)


@given(texts, texts)
def test_a_token_says_where_to_go_on(scope: str, position: str) -> None:
    token = make_token(KEY, scope, position)

    assert read_token(KEY, scope, token) == position
    assert re.fullmatch(r"[a-zA-Z0-9+/=]{1,1024}", token)


@given(texts, texts, st.data())
def test_a_changed_token_is_refused(scope: str, position: str, data: st.DataObject) -> None:
    token = make_token(KEY, scope, position)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019+/="))
    changed = token[:place] + letter + token[place + 1 :]

    if changed != token:
        with pytest.raises(ServiceError, match="InvalidArgumentException"):
            read_token(KEY, scope, changed)


@pytest.mark.parametrize(
    ("key", "scope", "token"),
    [
        pytest.param(b"another", "a", make_token(KEY, "a", "b"), id="another-store"),
        pytest.param(KEY, "b", make_token(KEY, "a", "b"), id="another-listing"),
        pytest.param(KEY, "a", make_token(KEY, "a", "b")[:-1], id="cut"),
        pytest.param(KEY, "a", make_token(KEY, "a", "b") + "AAAA", id="tail"),
        pytest.param(KEY, "a", "", id="empty"),
        pytest.param(KEY, "a", "é", id="not-ascii"),
    ],
)
def test_a_token_from_elsewhere_is_refused(key: bytes, scope: str, token: str) -> None:
    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        read_token(key, scope, token)
