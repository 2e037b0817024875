"""How a server is broken: by what it is told, what it answers, and what it is set up with."""

from __future__ import annotations

import base64
import dataclasses
import enum
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from conformance.building import MessageBuilder, md5_key, sha256_key
from conformance.codes import Attr
from conformance.reading import ReceivedMessage
from transport import Path, TransportAddress
from turn.server import TurnServer
from turn.tokens import TokenKey

USERS = MappingProxyType({"ann": "secret", "bob": "other"})
REALM = "netsim"
SECRET = "shared"
TOKEN_KEY = TokenKey("kid", bytes(range(32)))
TOKEN_SERVER = "turn.netsim"

Answer = Callable[[ReceivedMessage, ReceivedMessage], bytes | None]
"""Of a request and the right answer to it: what is sent instead, or None for nothing."""


Inject = Callable[[bytes, ReceivedMessage], bytes | None]
"""Of what a client or a peer sends, and the client's last signed request: a request that is
carried out before it, in the client's name; or None."""

Reply = Callable[[bytes], bytes | None]
"""Of what a client sends: an answer that the server itself does not give, or None."""

Blurt = Callable[[bytes], tuple[TransportAddress, bytes] | None]
"""Of what a client sends: a peer, and what is sent there from the server's own port, allocation
or not; or None."""


class Segments(enum.Enum):
    """What a server makes of a stream."""

    RIGHT = "messages are found by their length"
    WHOLE = "each segment is taken for one message"
    CLOSES_AFTER_ANSWER = "the connection is closed after each answer"
    CLOSES_AFTER_DELETION = "the connection is closed with its allocation"
    ENDS_WITH_CLIENT = "nothing is answered once the client has ended its side"
    SILENT = "nothing is answered"
    RESYNCHRONISES = "garbage is passed over"
    ENDS_FIRST_LATE = "the first connection is closed 605 s after it was made, others never"
    ENDS_AT_GARBAGE = "a DTLS association ends with what cannot be read"
    LOSES_PIECES = "what comes in several segments is lost"
    FIRST_ALONE = "of a segment the first message alone is read"
    SEARCHES = "requests are looked for within messages that are not whole"


class TcpFault(enum.Enum):
    """What a server does wrong with connections of peers (RFC 6062)."""

    DEAF = "nothing listens at relayed transport addresses"
    FROM_ANOTHER_PORT = "peers are connected to from another port"
    GIVES_UP_SOON = "a peer that does not answer is given up after 10 s"
    FORGETS_CONNECTING = "a peer that is being connected to is not known"
    FORGETS_PENDING = "a peer that is connected is not known"
    FORGETS_ACTIVE = "a peer whose connection is bound is not known"
    CLOSES_SOON = "what is not bound is closed after 10 s"
    KEEPS_UNBOUND = "what is not bound is not closed"
    KEEPS_UNBOUND_OF_PEERS = "what a peer has opened, and is not bound, is not closed"
    KEEPS_STRANGERS = "connections of peers without a permission are not closed"
    TELLS_OF_STRANGERS = "the client is told of peers without a permission"
    LOSES_EARLY = "what a peer sends before the bind is lost"
    FRAMES = "data become ChannelData"
    FRAMES_TO_PEERS = "a client's data become ChannelData"
    KEEPS_PEER = "the end of the client's connection is not passed on"
    KEEPS_CLIENT = "the end of the peer's connection is not passed on"
    OUTLIVES_ALLOCATION = "connections stay open when the allocation is gone"
    CONNECTS_NOBODY = "a connection that is told of is never made"
    READS_DATA = "what looks like STUN is taken out of a client's data"
    SPOILS_MUCH_TO_PEERS = "of many bytes for a peer one is changed"
    SPOILS_MUCH_TO_CLIENTS = "of many bytes for a client one is changed"
    LOSES_MUCH_TO_PEERS = "of many bytes for a peer the last are lost"
    LOSES_MUCH_TO_CLIENTS = "of many bytes for a client the last are lost"
    SAYS_GOODBYE_TO_PEERS = "a peer is told something before the end"
    SAYS_GOODBYE_TO_CLIENTS = "a client is told something before the end"
    SAYS_GOODBYE_AT_DELETION_TO_PEERS = "a peer is told that the allocation is gone"
    SAYS_GOODBYE_AT_DELETION_TO_CLIENTS = "a client is told so on its data connection"
    PEER_OUTLIVES_ALLOCATION = "the connection of the peer stays open when the allocation is gone"
    HAS_NO_BOUND = "all is read, whether or not the other side takes it"


Route = Callable[[Path, Sequence[Path]], Sequence[Path]]
"""Of where data for a client is to go, and of all clients: where it goes instead."""


@dataclasses.dataclass(frozen=True, slots=True)
class Mutant:
    """What is changed on the way into the server, and out of it.

    ``take`` gets each datagram of a client, ``answer`` each response, ``tell`` whatever
    else goes to clients, ``relay`` what goes to peers, ``hear`` what comes from them; each
    returns what goes on instead, or None. ``reply`` makes an answer where the server is
    silent, and ``blurt`` sends to peers beside the server. ``before_take`` and
    ``before_hear`` put requests in before what clients and peers
    send. ``options`` are of the server's configuration.
    """

    answer: Answer | None = None
    take: Callable[[bytes], bytes | None] | None = None
    tell: Callable[[bytes], bytes | None] | None = None
    relay: Callable[[bytes], bytes | None] | None = None
    hear: Callable[[bytes], bytes | None] | None = None
    reply: Reply | None = None
    blurt: Blurt | None = None
    before_take: Inject | None = None
    before_hear: Inject | None = None
    route: Route | None = None
    clock: float = 1.0
    """Seconds of the server in a second."""
    answers_from_elsewhere: bool = False
    """Answers leave from another port."""
    answers_twice: bool = False
    """Each answer leaves twice, as where a request was sent twice, and both came late."""
    tells_from_elsewhere: bool = False
    """Data for clients leaves from another port."""
    relays_from_elsewhere: bool = False
    """Data for peers leaves from a port that no client was told."""
    tos: int = 0
    """The TOS byte of all that the server sends."""
    segments: Segments = Segments.RIGHT
    protocols: tuple[str, ...] = ("stun.turn", "stun.nat-discovery")
    """What it agrees on by ALPN."""
    tcp: TcpFault | None = None
    options: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Setup:
    """How the right server is set up, and reached, for a row that wants more than usual."""

    options: Mapping[str, object] = dataclasses.field(default_factory=dict)
    ipv6: bool = False
    tcp: bool = False
    dtls: bool = False
    same_host: bool = False
    """The server's loopback address is the harness's, too."""
    reply: Reply | None = None
    """Answers what the simulated server is silent to, but a real one not."""
    prepare: Callable[[TurnServer], None] | None = None


def edited(
    message: ReceivedMessage,
    request: ReceivedMessage | None = None,
    *,
    drop: Iterable[int] = (),
    change: Mapping[int, bytes] | None = None,
    add: Iterable[tuple[int, bytes]] = (),
    method: int | None = None,
    message_class: int | None = None,
    transaction_id: bytes | None = None,
    padding: int = 0,
) -> bytes:
    """A message with some things changed, signed anew like before.

    The key is that of the ``request``'s username.
    """
    dropped, changed = set(drop), dict(change or {})
    signed = {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256, Attr.FINGERPRINT}
    builder = MessageBuilder(
        message.method if method is None else method,
        message.message_class if message_class is None else message_class,
        message.transaction_id if transaction_id is None else transaction_id,
    )
    for each in message.attributes:
        if each.type not in dropped | signed:
            value = changed.get(each.type, each.value)
            builder.add(each.type, value, padding=bytes([padding]) * (-len(value) % 4))
    for kind, value in add:
        builder.add(kind, value)
    kept = set(message.types) - dropped
    if Attr.MESSAGE_INTEGRITY in kept:
        builder.add_integrity(key_of(request, sha256=False))
    if Attr.MESSAGE_INTEGRITY_SHA256 in kept:
        builder.add_integrity_sha256(key_of(request, sha256=True))
    if Attr.FINGERPRINT in kept:
        builder.add_fingerprint()
    return builder.build()


def only(method: int, answer: Answer) -> Answer:
    """Change the answers to one method alone."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        return answer(request, response) if request.method == method else response.data

    return change


def silent_to(method: int) -> Answer:
    """Answer everything but one method."""
    return only(method, lambda _request, _response: None)


def key_of(request: ReceivedMessage | None, *, sha256: bool) -> bytes:
    username = (request.text(Attr.USERNAME) if request is not None else None) or "ann"
    # What uses SHA-256 says so in PASSWORD-ALGORITHM; else the key is that of MD5.
    uses_sha256 = request is not None and request.get(Attr.PASSWORD_ALGORITHM) == b"\0\2\0\0"
    derive = sha256_key if sha256 and uses_sha256 else md5_key
    return derive(username, REALM, _password(username))


def _password(username: str) -> str:
    if ":" in username:  # a time-limited one: see ``Credential``
        digest = hmac.digest(SECRET.encode(), username.encode(), "sha1")
        return base64.b64encode(digest).decode()
    return USERS.get(username, "")
