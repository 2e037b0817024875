from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from transport import Timers

KEYS = st.integers(0, 200)
TIMES = st.integers(0, 50).map(float)


class TimersAgainstADictionary(RuleBasedStateMachine):
    """The model is a dictionary from key to deadline, searched from end to end."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: Timers[int] = Timers()
        self.model: dict[int, float] = {}

    @rule(key=KEYS, deadline=TIMES)
    def set(self, key: int, deadline: float) -> None:
        self.timers.set(key, deadline)
        self.model[key] = deadline

    @rule(first=KEYS, count=st.integers(1, 150), deadline=TIMES)
    def set_many(self, first: int, count: int, deadline: float) -> None:
        for key in range(first, first + count):
            self.set(key, deadline + key % 7)

    @rule(key=KEYS)
    def cancel(self, key: int) -> None:
        self.timers.cancel(key)
        self.model.pop(key, None)

    @rule(now=TIMES)
    def expire(self, now: float) -> None:
        due = list(self.timers.expired(now))

        assert sorted(due) == sorted(key for key, at in self.model.items() if at <= now)
        deadlines = [self.model.pop(key) for key in due]
        assert deadlines == sorted(deadlines)

    @rule(now=TIMES)
    def expire_only_the_first(self, now: float) -> None:
        key = next(self.timers.expired(now), None)

        earliest = min(self.model.values(), default=None)
        if key is None:
            assert earliest is None or earliest > now
        else:
            assert self.model.pop(key) == earliest

    @invariant()
    def they_agree(self) -> None:
        assert len(self.timers) == len(self.model)
        assert self.timers.next_timeout() == min(self.model.values(), default=None)
        for key, deadline in self.model.items():
            assert key in self.timers
            assert self.timers.deadline(key) == deadline


TestTimersAgainstADictionary = TimersAgainstADictionary.TestCase
TestTimersAgainstADictionary.settings = settings(stateful_step_count=15)


def test_a_key_that_is_not_set_has_no_deadline() -> None:
    timers: Timers[str] = Timers()
    timers.cancel("a")

    assert timers.deadline("a") is None
    assert timers.next_timeout() is None
    assert "a" not in timers


def test_keys_due_at_the_same_time_expire_in_the_order_they_were_set() -> None:
    timers: Timers[str] = Timers()
    for key in "cab":
        timers.set(key, 1.0)

    assert list(timers.expired(1.0)) == ["c", "a", "b"]


def test_a_key_set_while_expiring_is_seen_if_it_is_due() -> None:
    timers: Timers[str] = Timers()
    timers.set("first", 1.0)
    seen = []
    for key in timers.expired(2.0):
        seen.append(key)
        if key == "first":
            timers.set("due", 2.0)
            timers.set("later", 2.5)

    assert seen == ["first", "due"]
    assert timers.next_timeout() == 2.5


def test_a_key_cancelled_while_expiring_is_not_seen() -> None:
    timers: Timers[str] = Timers()
    timers.set("first", 1.0)
    timers.set("second", 1.0)
    seen = []
    for key in timers.expired(2.0):
        seen.append(key)
        timers.cancel("second")

    assert seen == ["first"]
    assert len(timers) == 0
