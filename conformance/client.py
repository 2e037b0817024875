"""A client of the server under test: requests, answers, long-term credentials.

It does what a client must do to get anywhere (RFC 8489 section 6.2), and lets a row do everything
else.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Final

from transport import DecodeError, TransportAddress

from .building import MessageBuilder, xor_address
from .checks import MAX_DATAGRAM, check_response, mark_attribute
from .codes import Attr, Class, Method, method_name
from .identity import Challenge, Identity
from .outcome import Mark, NotOffered, OutOfReach, Unanswered, Violated, Violation
from .reading import ReceivedMessage, method_of
from .server_link import ServerLink
from .target import Credential, Target
from .wire import Wire

Value = bytes | Callable[[bytes], bytes]
"""Of an attribute; a function makes it of the transaction id."""

Attribute = tuple[int, Value]

RESEND_AFTER: Final = 0.5
"""Seconds until a request is sent again over UDP. That is not doubled (as RFC 8489 section 6.2.1
has clients do): what a path loses is not to be taken for silence."""

MAX_STALE: Final = 3
"""Nonces taken in a row for one request."""

_NO_WISH_BESIDE: Final = frozenset(
    {Attr.REQUESTED_ADDRESS_FAMILY, Attr.ADDITIONAL_ADDRESS_FAMILY, Attr.RESERVATION_TOKEN}
)


def xor(kind: int, address: TransportAddress) -> Attribute:
    """An XORed address."""
    return kind, lambda transaction_id: xor_address(address, transaction_id)


class Client(Identity):
    """One 5-tuple to the server, and who it says it is there.

    Violations that a row did not ask about go to ``report``.
    """

    def __init__(
        self,
        link: ServerLink,
        target: Target,
        wire: Wire,
        *,
        credential: Credential | None,
        report: Callable[[Violation], None],
    ) -> None:
        super().__init__(credential)
        self.link = link
        self.inbox: collections.deque[bytes] = collections.deque()
        """What came and answered nothing: indications, ChannelData, and what is neither."""
        self.family: bytes | None = None
        """Of the relayed transport addresses that it wants; without one a server gives IPv4."""
        self.unawaited: set[bytes] = set()
        """Ids of requests that may be answered while another one is waited for."""
        self._target = target
        self._wire = wire
        self._report = report
        self._transaction_ids: set[bytes] = set()
        self._asked: set[bytes] = set()

    @property
    def local(self) -> TransportAddress:
        return self.link.local

    # Writing

    def message(self, method: int, *attributes: Attribute) -> MessageBuilder:
        """A request without credentials; an Allocate asks for the client's family."""
        if method == Method.ALLOCATE and self.family is not None:
            return self.begin(method, Class.REQUEST, *_with_family(attributes, self.family))
        return self.begin(method, Class.REQUEST, *attributes)

    def begin(self, method: int, message_class: int, *attributes: Attribute) -> MessageBuilder:
        """A message of any class, with an id of its own."""
        builder = MessageBuilder(method, message_class, self._wire.random_bytes(12))
        for kind, value in attributes:
            builder.add(kind, value if isinstance(value, bytes) else value(builder.transaction_id))
        self._transaction_ids.add(builder.transaction_id)
        return builder

    # Asking

    async def send(self, data: bytes) -> None:
        await self.link.send(data)

    async def ask(self, request: bytes, *, seconds: float | None = None) -> ReceivedMessage | None:
        """Send a request until it is answered; None if it never is (in that time, if given)."""
        now = self._wire.now()
        deadline = now + (self._target.patience if seconds is None else seconds)
        self._asked.add(request[8:20])
        await self.link.send(request)
        while now < deadline:
            until = deadline if self.link.is_stream else min(deadline, now + RESEND_AFTER)
            answer = await self.answer(request, until - now)
            if answer is not None or self.link.has_ended:
                return answer
            now = self._wire.now()
            if now < deadline and not self.link.is_stream:
                await self.link.send(request)
        return None

    async def answer(self, request: bytes, seconds: float) -> ReceivedMessage | None:
        """The next response to a request that was sent, checked; None if none comes in time."""
        deadline = self._wire.now() + seconds
        while (left := deadline - self._wire.now()) >= 0:
            data = await self.link.receive(left)
            if data is None:
                return None
            response = self._response(data)
            if response is None:
                self.inbox.append(data)
            elif response.transaction_id == request[8:20]:
                self._check(response, request)
                return response
            elif not self._has_been_asked(response.transaction_id):
                self._check_stray(response)
        return None

    async def request(self, method: int, *attributes: Attribute) -> ReceivedMessage:
        """Ask without credentials.

        Raises:
            Unanswered: there is no answer.
        """
        return await self.demand(self.message(method, *attributes).build())

    async def demand(self, request: bytes) -> ReceivedMessage:
        """The answer to a request.

        Raises:
            Unanswered: there is none.
        """
        return self._expect_answer(await self.ask(request), method_of(request))

    async def authenticated(
        self, method: int, *attributes: Attribute, credential: Credential | None = None
    ) -> ReceivedMessage:
        """Ask with credentials, once more for each fresh nonce; the last answer.

        Raises:
            Unanswered: there is no answer.
            NotOffered: the server asks for no credentials, or there are none.
        """
        response = await self.try_authenticated(method, *attributes, credential=credential)
        return self._expect_answer(response, method)

    async def try_authenticated(
        self, method: int, *attributes: Attribute, credential: Credential | None = None
    ) -> ReceivedMessage | None:
        """The same where silence is an answer, too: None.

        Raises:
            Violated: each fresh nonce is stale at once.
            NotOffered: the server asks for no credentials, or there are none.
        """
        if self.challenge is None:
            await self.learn_challenge()
        for _ in range(MAX_STALE):
            signed = self.sign(self.message(method, *attributes), credential).build()
            response = await self.ask(signed)
            if response is None:
                return None
            self._check_integrity(response, credential)
            if response.error_code != 438:
                return response
            self.challenge = Challenge.of(response) or self.challenge
        raise Violated(f"438 to {MAX_STALE} requests that had the newest nonce each")

    async def learn_challenge(self) -> Challenge:
        """Provoke a 401.

        Raises:
            NotOffered: the answer is none.
            OutOfReach: there is no answer.
        """
        transport = (Attr.REQUESTED_TRANSPORT, bytes([17, 0, 0, 0]))
        try:
            response = await self.request(Method.ALLOCATE, transport)
        except Unanswered as error:
            raise OutOfReach(error.detail) from error
        challenge = Challenge.of(response)
        if response.error_code != 401 or challenge is None:
            raise NotOffered(f"Allocate without credentials is met with {describe(response)}")
        self.challenge = challenge
        return challenge

    def _expect_answer(self, response: ReceivedMessage | None, method: int) -> ReceivedMessage:
        if response is not None:
            return response
        name = method_name(method)
        if self.link.has_ended:
            raise Unanswered(f"the connection is closed instead of an answer to {name}")
        raise Unanswered(f"no answer to {name} in {self._target.patience:g} s")

    # Waiting

    async def next_message(self, seconds: float) -> bytes | None:
        """What came and answered nothing, or comes in time."""
        if self.inbox:
            return self.inbox.popleft()
        return await self.link.receive(seconds)

    async def expect_silence(self, data: bytes, *, why: str) -> None:
        """Send something that must not be answered.

        Raises:
            Violated: it is.
        """
        await self.link.send(data)
        now, deadline = self._wire.now, self._wire.now() + self._target.silence
        while (answer := await self.link.receive(max(0.0, deadline - now()))) is not None:
            # What was asked before, and sent twice, is answered twice.
            if answer[8:20] not in self._asked - {data[8:20]}:
                raise Violated(f"{why} is answered", Mark(answer, 0, len(answer)))

    # Checking

    def _response(self, data: bytes) -> ReceivedMessage | None:
        if not data or data[0] >= 0x40:
            return None
        try:
            message = ReceivedMessage.parse(data)
        except DecodeError as error:
            self._report(Violation("COD-HDR-04", str(error), Mark(data, 0, len(data))))
            return None
        is_response = message.message_class in (Class.SUCCESS, Class.ERROR)
        return message if is_response else None

    def _check(self, response: ReceivedMessage, request: bytes) -> None:
        most = None if self.link.is_stream else MAX_DATAGRAM[self.local.ip.version]
        for violation in check_response(response, method=method_of(request), most=most):
            self._report(violation)

    def _has_been_asked(self, transaction_id: bytes) -> bool:
        """An answer may come late, or twice, or to what a row has hidden in other bytes."""
        return transaction_id in self.unawaited or self.link.may_have_sent(transaction_id)

    def _check_stray(self, response: ReceivedMessage) -> None:
        if response.transaction_id in self._transaction_ids | self._asked:
            return  # late, or once more: what was sent twice over UDP is answered twice
        detail = "a response with the transaction id of no request that was sent"
        self._report(Violation("COD-HDR-08", detail, Mark(response.data, 8, 20)))

    def _check_integrity(self, response: ReceivedMessage, credential: Credential | None) -> None:
        """Answers that must carry it do, and it is right (RFC 8489 section 9.2.4)."""
        key = self.key(credential)
        types = response.types
        with_sha256 = Attr.MESSAGE_INTEGRITY_SHA256 in types
        if not with_sha256 and Attr.MESSAGE_INTEGRITY not in types:
            if response.message_class is Class.SUCCESS:
                self._report(Violation("STUNS-LTC-14", "a success without integrity", None))
            return
        kind = Attr.MESSAGE_INTEGRITY_SHA256 if with_sha256 else Attr.MESSAGE_INTEGRITY
        is_right = (
            response.has_integrity_sha256(key) if with_sha256 else response.has_integrity(key)
        )
        if not is_right and response.error_code not in (400, 401, 438):
            mark = mark_attribute(response, kind)
            self._report(Violation("STUNS-LTC-14", "the integrity is not that of the key", mark))


def _with_family(attributes: Sequence[Attribute], family: bytes) -> tuple[Attribute, ...]:
    """With REQUESTED-ADDRESS-FAMILY, where it may be (RFC 8656 section 7.2) and is not yet."""
    if _NO_WISH_BESIDE.isdisjoint(kind for kind, _ in attributes):
        return (*attributes, (Attr.REQUESTED_ADDRESS_FAMILY, family))
    return tuple(attributes)


def describe(response: ReceivedMessage | None) -> str:
    """A response in a few words."""
    if response is None:
        return "silence"
    if response.message_class is Class.SUCCESS:
        return "success"
    return f"error {response.error_code}"
