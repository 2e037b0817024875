"""The client's side of the long-term credential mechanism (RFC 8489 section 9.2).

``LongTermClient`` stands for one server and remembers its realm and nonce.
``LongTermRequest`` stands for one request with its retries: encode it, send it in a
``ClientTransaction`` that has it as its verifier, and give the response to
``retry``, which says whether to encode and send it again. In place of the password
there may be an access token of third-party authorization (RFC 7635).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

from transport import DecodeError

from .access_grant import AccessGrant
from .attributes import (
    AccessToken,
    AlgorithmParameters,
    AnyAttribute,
    ErrorNumber,
    KeyAlgorithm,
    Nonce,
    PasswordAlgorithm,
    PasswordAlgorithms,
    Realm,
    UnknownAttribute,
)
from .challenge import (
    Challenge,
    error_code,
    lacks_algorithms,
    password_challenge,
    server_name,
    token_challenge,
)
from .encoding import encode_message
from .errors import OpaqueStringError
from .integrity import IntegrityAlgorithm
from .message import Message
from .nonce_cookie import SecurityFeature, security_features
from .opaque_string import opaque_string
from .transaction import Verdict
from .types import MessageClass, Method

MAX_RETRIES: Final = 5
"""Retries of one request: a 401 needs one, a 438 one more; a server that goes on
answering 438 must not keep us busy for ever."""


TOKEN_METHODS: Final = frozenset((Method.BINDING, Method.ALLOCATE, Method.REFRESH))
"""Where ACCESS-TOKEN goes along: of TURN only these two (RFC 7635 section 9)."""


class AlgorithmChoice(enum.Enum):
    """Which of the server's password algorithms a client takes."""

    FIRST_SUPPORTED = "first-supported"
    """RFC 8489 section 9.2.5."""
    STRONGEST = "strongest"
    """SHA-256 where it is offered: RFC 8656 section 6 binds TURN clients to it."""


class LongTermClient:
    """Credentials at one server, and what that server said last.

    Without a username it has none, until there is an access token. ``takes_tokens`` says
    that one can be had: where the server takes them, it goes before the password (RFC 7635
    section 6.1).

    Raises:
        OpaqueStringError: the username or the password is not allowed.
    """

    __slots__ = (
        "_challenge",
        "_choice",
        "_grant",
        "_password",
        "_seen_algorithms",
        "_username",
        "takes_tokens",
    )

    def __init__(
        self,
        username: str | None,
        password: str | None,
        *,
        choice: AlgorithmChoice = AlgorithmChoice.FIRST_SUPPORTED,
        takes_tokens: bool = False,
    ) -> None:
        self.takes_tokens = takes_tokens
        self._username = None if username is None else opaque_string(username)
        self._password = None if password is None else opaque_string(password)
        self._choice = choice
        self._challenge: Challenge | None = None
        self._seen_algorithms = False
        self._grant: AccessGrant | None = None

    @property
    def grant(self) -> AccessGrant | None:
        """The access token that is used instead of the password."""
        return self._grant

    def use_token(self, grant: AccessGrant) -> None:
        """Authenticate with an access token from now on, not with the password."""
        self._grant = grant
        if self._challenge is not None:
            self._challenge = token_challenge(grant, self._challenge.nonce, self._challenge.realm)

    @property
    def challenge(self) -> Challenge | None:
        """What requests are authenticated with (section 9.2.3.2); None before the first 401."""
        return self._challenge

    @property
    def algorithm(self) -> IntegrityAlgorithm:
        """SHA-256 alone once the server has listed password algorithms (section 9.2.5).

        With an access token it is what the authorization server said.
        """
        if self._grant is not None:
            return self._grant.algorithm
        return IntegrityAlgorithm.SHA256 if self._seen_algorithms else IntegrityAlgorithm.SHA1

    def request(self, method: int, attributes: Sequence[AnyAttribute]) -> LongTermRequest:
        """A new request to this server."""
        return LongTermRequest(self, method, attributes)

    def take_challenge(self, response: Message) -> bool:
        """Remember what a 401 or 438 says; False if we must not answer it.

        The reasons are in section 9.2.5: no nonce, no supported algorithm, or a
        nonce cookie that announces PASSWORD-ALGORITHMS where an attacker may have
        taken them out. A server that offered algorithms once and does so no more
        is taken for such an attack too.
        """
        try:
            challenge = self._read_challenge(response)
        except (DecodeError, OpaqueStringError):
            return False
        if challenge is None:
            return False
        self._challenge = challenge
        return True

    def note_algorithms(self, response: Message) -> None:
        """An authenticated response came: if it lists algorithms, only
        MESSAGE-INTEGRITY-SHA256 is used from now on."""
        if response.has(PasswordAlgorithms):
            self._seen_algorithms = True

    def _read_challenge(self, response: Message) -> Challenge | None:
        nonce = response.get(Nonce)
        realm = response.raw_value(Realm.TYPE)
        if realm is None and self._challenge is not None:
            realm = self._challenge.realm
        offered = response.get(PasswordAlgorithms)
        if nonce is None or realm is None or self._is_bid_down(nonce, offered):
            return None
        if self._grant is not None:
            return token_challenge(self._grant, nonce, realm)
        key_algorithm = KeyAlgorithm.MD5
        attributes: list[AnyAttribute] = []
        if offered is not None:
            chosen = self._choose(offered)
            if chosen is None:
                return None
            self._seen_algorithms = True
            key_algorithm = KeyAlgorithm(chosen.number)
            # The list goes back byte for byte, and so do realm and nonce.
            listed = response.raw_value(PasswordAlgorithms.TYPE) or b""
            attributes.append(UnknownAttribute(PasswordAlgorithms.TYPE, listed))
            attributes.append(PasswordAlgorithm(chosen))
        if self._username is None or self._password is None:
            return None
        return password_challenge(
            self._username,
            self._password,
            nonce=nonce,
            realm=realm,
            key_algorithm=key_algorithm,
            algorithms=attributes,
        )

    def _is_bid_down(self, nonce: Nonce, offered: PasswordAlgorithms | None) -> bool:
        if offered is not None:
            return False
        announced = SecurityFeature.PASSWORD_ALGORITHMS in security_features(nonce.nonce)
        return announced or self._seen_algorithms

    def _choose(self, offered: PasswordAlgorithms) -> AlgorithmParameters | None:
        supported = [
            entry
            for entry in offered.algorithms
            if entry.number in (KeyAlgorithm.MD5, KeyAlgorithm.SHA256) and not entry.parameters
        ]
        if self._choice is AlgorithmChoice.STRONGEST:
            supported.sort(key=lambda entry: entry.number != KeyAlgorithm.SHA256)
        return supported[0] if supported else None


class LongTermRequest:
    """One request with its retries; the verifier of each of its transactions."""

    __slots__ = ("_attributes", "_client", "_method", "_retries", "_sent")

    def __init__(
        self, client: LongTermClient, method: int, attributes: Sequence[AnyAttribute]
    ) -> None:
        self._client = client
        self._method = method
        self._attributes = tuple(attributes)
        self._retries = 0
        self._sent: Challenge | None = None

    @property
    def retries(self) -> int:
        return self._retries

    def encode(self, transaction_id: bytes, *, fingerprint: bool = False) -> bytes:
        """The bytes for a new transaction, with the credentials known by now.

        The first request to a server carries none (section 9.2.3.1).

        Raises:
            ValueError: an attribute cannot be encoded.
        """
        sent = self._sent = self._client.challenge
        return encode_message(
            self._method,
            MessageClass.REQUEST,
            transaction_id,
            self._attributes if sent is None else self._signed_attributes(sent),
            key=None if sent is None else sent.key,
            algorithm=self._client.algorithm,
            fingerprint=fingerprint,
        )

    def _signed_attributes(self, sent: Challenge) -> tuple[AnyAttribute, ...]:
        if sent.access_token is None or self._method not in TOKEN_METHODS:
            return (*self._attributes, *sent.attributes)
        return (*self._attributes, *sent.attributes, sent.access_token)

    def wanted_token(self, response: Message) -> str | None:
        """The server's name, where this is a 401 to be met with an access token that we do
        not have yet: see ``LongTermClient.use_token``."""
        name = server_name(response)
        if name is None or not self._client.takes_tokens:
            return None
        grant = self._client.grant
        sent = None if self._sent is None else self._sent.access_token
        if grant is None:
            return name
        is_refused = self._method in TOKEN_METHODS and sent == AccessToken(grant.token)
        return name if is_refused else None

    def is_authenticated(self, response: Message) -> bool:
        """Whether its integrity was made with the key of this request.

        A redirection (300) is to be obeyed only then (section 14.8).
        """
        return self._sent is not None and response.verify_integrity(self._sent.key)

    def verify(self, response: Message) -> Verdict:
        """The checks of section 9.2.5, for ``ClientTransaction``."""
        code = error_code(response)
        is_challenge = code in (ErrorNumber.UNAUTHENTICATED, ErrorNumber.STALE_NONCE)
        if not is_challenge and lacks_algorithms(response):
            return Verdict.IGNORED
        if self._sent is None or (is_challenge and not response.has_integrity):
            return Verdict.ACCEPTED
        if code == ErrorNumber.BAD_REQUEST and not response.has_integrity:
            return Verdict.IGNORED
        if not response.verify_integrity(self._sent.key):
            return Verdict.INTEGRITY_VIOLATED
        self._client.note_algorithms(response)
        return Verdict.ACCEPTED

    def retry(self, response: Message) -> bool:
        """Whether to ``encode`` and send again, in a new transaction.

        True after a 401 that asks for credentials that were not tried, and after a
        438 that brings a new nonce; at most MAX_RETRIES times. Not while an access token
        is wanted; with the token, ask again.
        """
        code = error_code(response)
        if code not in (ErrorNumber.UNAUTHENTICATED, ErrorNumber.STALE_NONCE):
            return False
        if self._retries >= MAX_RETRIES or self.wanted_token(response) is not None:
            return False
        if not self._client.take_challenge(response):
            return False
        answer = self._client.challenge
        if (
            code == ErrorNumber.UNAUTHENTICATED
            and self._sent is not None
            and answer is not None
            and answer.identity == self._sent.identity
        ):
            return False
        self._retries += 1
        return True
