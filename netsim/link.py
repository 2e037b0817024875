"""One direction of a link: what it does to the datagrams that cross it."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable

from .rng import SeededRandom
from .scheduler import Scheduler
from .trace import Datagram, Fate, Ledger


def _require_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is a probability, not {value}")


@dataclasses.dataclass(frozen=True, slots=True)
class GilbertElliott:
    """Loss in bursts: a link that is good or bad, and changes over per datagram.

    ``to_bad`` and ``to_good`` are the probabilities of the changes; the mean burst
    is 1 / ``to_good`` datagrams long. ``loss_good`` and ``loss_bad`` are those of
    losing a datagram in each state.
    """

    to_bad: float
    to_good: float
    loss_good: float = 0.0
    loss_bad: float = 1.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _require_probability(field.name, getattr(self, field.name))


@dataclasses.dataclass(frozen=True, slots=True)
class LinkProfile:
    """What one direction of a link is like.

    ``delay`` is what every datagram takes; ``jitter`` is the most that is added to
    it at random, without changing the order; a datagram that is chosen for
    ``reorder`` takes ``reorder_delay`` longer, and others may overtake it.
    ``loss``, ``duplicate`` and ``reorder`` are probabilities. ``mtu`` bounds the
    whole IP packet in bytes. ``rate_bps`` (bits per second) makes datagrams wait
    for each other; ``queue_bytes`` may be queued then, with the one being sent.

    Raises:
        ValueError: a number is out of its range.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    bursts: GilbertElliott | None = None
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_delay: float = 0.01
    mtu: int = 1500
    rate_bps: float | None = None
    queue_bytes: int = 64 * 1024

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder"):
            _require_probability(name, getattr(self, name))
        if min(self.delay, self.jitter, self.reorder_delay) < 0:
            raise ValueError("a delay cannot be negative")
        if self.mtu <= 0 or self.queue_bytes < 0:
            raise ValueError("an MTU is positive, and a queue not negative")
        if self.rate_bps is not None and self.rate_bps <= 0:
            raise ValueError("a rate is positive, or None for no limit")


class Link:
    """Carries datagrams one way. ``profile`` may be changed while it runs."""

    def __init__(
        self,
        name: str,
        profile: LinkProfile,
        deliver: Callable[[Datagram], None],
        *,
        random: SeededRandom,
        scheduler: Scheduler,
        ledger: Ledger,
    ) -> None:
        self.name = name
        self.profile = profile
        self._deliver = deliver
        self._random = random
        self._scheduler = scheduler
        self._ledger = ledger
        self._is_up = True
        self._is_bad = False
        self._last_arrival = 0.0
        self._queue: collections.deque[tuple[float, int]] = collections.deque()
        self._queued_bytes = 0

    @property
    def is_up(self) -> bool:
        return self._is_up

    def take_down(self) -> None:
        """From now on nothing enters the link; what is on it still arrives."""
        self._is_up = False

    def bring_up(self) -> None:
        self._is_up = True

    def send(self, datagram: Datagram) -> None:
        """Carry a datagram to the other end, or drop it for one of the link's reasons."""
        fate = self._refusal(datagram)
        if fate is not None:
            self._drop(datagram, fate)
            return
        departure = self._departure(datagram.size_bytes)
        if departure is None:
            self._drop(datagram, Fate.QUEUE_FULL)
            return
        # A datagram is lost on the wire: it has taken its turn in the queue before.
        if self._is_lost():
            self._drop(datagram, Fate.LOST)
            return
        self._carry(datagram, departure)
        if self._random.happens(self.profile.duplicate):
            self._carry(self._ledger.duplicate(datagram), departure)

    def _refusal(self, datagram: Datagram) -> Fate | None:
        if not self._is_up:
            return Fate.LINK_DOWN
        return Fate.TOO_BIG if datagram.size_bytes > self.profile.mtu else None

    def _departure(self, size_bytes: int) -> float | None:
        """When the last bit leaves, or None if the queue is full."""
        now = self._scheduler.now
        while self._queue and self._queue[0][0] <= now:
            self._queued_bytes -= self._queue.popleft()[1]
        if self.profile.rate_bps is None:
            return now
        if self._queue and self._queued_bytes + size_bytes > self.profile.queue_bytes:
            return None
        start = self._queue[-1][0] if self._queue else now
        departure = start + size_bytes * 8 / self.profile.rate_bps
        self._queue.append((departure, size_bytes))
        self._queued_bytes += size_bytes
        return departure

    def _is_lost(self) -> bool:
        bursts = self.profile.bursts
        if bursts is not None:
            change = bursts.to_good if self._is_bad else bursts.to_bad
            self._is_bad ^= self._random.happens(change)
            if self._random.happens(bursts.loss_bad if self._is_bad else bursts.loss_good):
                return True
        return self._random.happens(self.profile.loss)

    def _carry(self, datagram: Datagram, departure: float) -> None:
        profile = self.profile
        arrival = departure + profile.delay
        if profile.jitter:
            arrival += self._random.uniform() * profile.jitter
        if self._random.happens(profile.reorder):
            arrival += profile.reorder_delay
        else:
            self._last_arrival = arrival = max(arrival, self._last_arrival)
        # To the nanosecond, so that sums of delays read like the numbers they are made of.
        arrival = max(round(arrival, 9), self._scheduler.now)
        self._scheduler.call_at(arrival, lambda: self._deliver(datagram), owner=self.name)

    def _drop(self, datagram: Datagram, fate: Fate) -> None:
        self._ledger.settle(datagram, fate, where=self.name, now=self._scheduler.now)
