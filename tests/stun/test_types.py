from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import MessageClass, Method
from stun.types import join_type, split_type


@pytest.mark.requirement("stun-turn:COD-HDR-03")
@pytest.mark.parametrize(
    ("method", "message_class", "expected"),
    [
        pytest.param(Method.BINDING, MessageClass.REQUEST, 0x0001, id="binding-request"),
        pytest.param(Method.BINDING, MessageClass.INDICATION, 0x0011, id="binding-indication"),
        pytest.param(Method.BINDING, MessageClass.SUCCESS, 0x0101, id="binding-success"),
        pytest.param(Method.BINDING, MessageClass.ERROR, 0x0111, id="binding-error"),
        pytest.param(Method.ALLOCATE, MessageClass.REQUEST, 0x0003, id="allocate-request"),
        pytest.param(Method.ALLOCATE, MessageClass.SUCCESS, 0x0103, id="allocate-success"),
        pytest.param(Method.ALLOCATE, MessageClass.ERROR, 0x0113, id="allocate-error"),
        pytest.param(0xFFF, MessageClass.REQUEST, 0x3EEF, id="highest-method"),
    ],
)
def test_the_class_bits_lie_between_the_method_bits(
    method: int, message_class: MessageClass, expected: int
) -> None:
    assert join_type(method, message_class) == expected


@pytest.mark.requirement("stun-turn:COD-HDR-03")
@given(st.integers(0, 0xFFF), st.sampled_from(MessageClass))
def test_a_type_comes_apart_as_it_was_joined(method: int, message_class: MessageClass) -> None:
    assert split_type(join_type(method, message_class)) == (method, message_class)


@pytest.mark.parametrize("method", [-1, 0x1000])
def test_a_method_of_more_than_12_bits_is_refused(method: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 4095"):
        join_type(method, MessageClass.REQUEST)
