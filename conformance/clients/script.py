"""Scripts: what is done to a client, and how it is judged by what it sends, and when."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Final

from conformance.outcome import Outcome
from conformance.requirements import Requirement, load
from transport import TransportProtocol

if TYPE_CHECKING:
    from .stage import Stage

Play = Callable[["Stage"], Coroutine[object, None, Outcome | None]]


class Action(enum.Enum):
    """What the client under test is made to do; the value is its name for programs."""

    REQUEST = "request"
    BINDING = "binding"
    BINDINGS = "bindings"
    BURST = "burst"
    INDICATION = "indication"
    SHORT_TERM = "short-term"
    ALLOCATE = "allocate"
    ALLOCATE_AGAIN = "allocate-again"
    RELEASE = "release"
    PERMIT = "permit"
    PERMIT_TWO = "permit-two"
    SEND = "send"
    SEND_WHOLE = "send-whole"
    CHANNEL = "channel"
    CHANNELS = "channels"
    ECHO = "echo"
    ECHO_CHANNEL = "echo-channel"
    DUAL = "dual"
    DUAL_AGAIN = "dual-again"
    CONNECT = "connect"
    ACCEPT = "accept"
    MOVE = "move"
    TOKEN = "token"

    @property
    def text(self) -> str:
        """For people; with ``{peer}``, ``{other}``, ``{user}`` and ``{password}`` to fill in."""
        return _TEXTS[self]


_TEXTS: Final[Mapping[Action, str]] = {
    Action.REQUEST: "send one request (a TURN client: allocate), and wait for its end",
    Action.BINDING: "send one Binding request, and wait for its end",
    Action.BINDINGS: "send two Binding requests from one socket, one when the other has ended",
    Action.BURST: "send 50 Binding requests at once from one socket",
    Action.INDICATION: "send one Binding indication",
    Action.SHORT_TERM: "send two Binding requests, one when the other has ended, with the "
    "short-term credential {user}, {password}",
    Action.ALLOCATE: "allocate, and keep the allocation",
    Action.ALLOCATE_AGAIN: "allocate, once more a second after that has failed, and create a "
    "permission for {peer}",
    Action.RELEASE: "allocate, and give the allocation back after a second",
    Action.PERMIT: "allocate, and create a permission for {peer}",
    Action.PERMIT_TWO: "allocate, and create permissions for {peer} and {other}, in one request "
    "if it can",
    Action.SEND: "allocate, and send something to {peer} every second in Send indications",
    Action.SEND_WHOLE: "allocate, and send something to {peer} every second in Send indications "
    "with DONT-FRAGMENT",
    Action.CHANNEL: "allocate, bind a channel to {peer}, and send something there every second",
    Action.CHANNELS: "allocate, and bind channels to {peer}, {other} and {peer} again",
    Action.ECHO: "allocate, create a permission for {peer}, and send back to its peer whatever "
    "comes",
    Action.ECHO_CHANNEL: "allocate, create a permission for {peer}, then bind a channel to it, "
    "and send back to its peer whatever comes",
    Action.DUAL: "allocate an IPv4 and an IPv6 address in one request, give the IPv6 one back "
    "after a second, and keep the other",
    Action.DUAL_AGAIN: "allocate an IPv4 and an IPv6 address in one request, give all back, and "
    "do so once more",
    Action.CONNECT: "make a TCP allocation, and connect to {peer}, again 15 s later if that fails",
    Action.ACCEPT: "make a TCP allocation, permit {peer}, and accept its connection",
    Action.MOVE: "allocate with mobility, create a permission for {peer}, send something there "
    "every second, and go to another local port after 5 s",
    Action.TOKEN: "allocate with the access token {token} (in hex), whose kid is {kid} and whose "
    "mac_key is {mac_key} (in hex), and create a permission for {peer}",
}


class Over(enum.Enum):
    """What a script can be played on."""

    ANY = "any transport"
    DATAGRAMS = "UDP"
    STREAM = "TCP"
    TLS = "TLS"

    def takes(self, protocol: TransportProtocol) -> bool:
        match self:
            case Over.ANY:
                return protocol in (TransportProtocol.UDP, TransportProtocol.TCP)
            case Over.DATAGRAMS:
                return protocol is TransportProtocol.UDP
            case Over.STREAM:
                return protocol is TransportProtocol.TCP
            case Over.TLS:
                return protocol is TransportProtocol.TLS


@dataclasses.dataclass(frozen=True, slots=True)
class Script:
    """A row that can be played to a client.

    ``sentence`` is what the RFC says. A ``slow`` one takes more than two minutes. A ``timed``
    one judges fractions of a second, so that a client which the machine has kept waiting looks
    as one that waits wrongly: that one does so each time.
    """

    requirement: Requirement
    play: Play
    sentence: str
    action: Action
    over: Over
    slow: bool
    timed: bool

    @property
    def id(self) -> str:
        return self.requirement.id


_REQUIREMENTS: Final[Mapping[str, Requirement]] = {
    each.id: each for group in load("stun-turn") for each in group.rows
}
_SCRIPTS: Final[dict[str, Script]] = {}


def script(
    row_id: str,
    sentence: str,
    action: Action,
    *,
    over: Over = Over.ANY,
    slow: bool = False,
    timed: bool = False,
) -> Callable[[Play], Play]:
    """Register a coroutine function as what shows a row of the catalogue.

    It returns None if the client does what it must, or an Outcome, and raises Violated
    if it does not.

    Raises:
        ValueError: there is no such row, or it is registered already.
    """
    if row_id not in _REQUIREMENTS or row_id in _SCRIPTS:
        raise ValueError(f"{row_id} is no row, or has its script already")

    def register(play: Play) -> Play:
        requirement = _REQUIREMENTS[row_id]
        _SCRIPTS[row_id] = Script(requirement, play, sentence, action, over, slow, timed)
        return play

    return register


def scripts() -> tuple[Script, ...]:
    """Those there are, in the catalogue's order; import ``conformance.clients`` first."""
    return tuple(_SCRIPTS[row_id] for row_id in _REQUIREMENTS if row_id in _SCRIPTS)
