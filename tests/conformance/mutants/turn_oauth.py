"""What breaks the rows of TURN-OAUTH."""

from __future__ import annotations

from conformance.building import MessageBuilder, u32
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError
from turn.tokens import TokenContents, TokenVerifier, open_access_token

from .changing import failing, is_error, is_success, once, without
from .mutant import TOKEN_KEY, TOKEN_SERVER, Answer, Mutant, Setup, edited, only

TOKENS = TokenVerifier(TOKEN_SERVER, [TOKEN_KEY])


class _Timeless(TokenVerifier):
    """Takes a token at any time."""

    def open(self, kid: str, token: bytes, unix_time: float) -> TokenContents | None:
        try:
            found = open_access_token(TOKEN_KEY, self.server_name, token)
        except DecodeError:
            return None
        return TokenContents(found.mac_key, unix_time, found.lifetime)


class _Namesake(TokenVerifier):
    """Takes tokens of other servers."""

    def open(self, kid: str, token: bytes, unix_time: float) -> TokenContents | None:
        other = TokenVerifier(f"other.{self.server_name}", [TOKEN_KEY])
        return super().open(kid, token, unix_time) or other.open(kid, token, unix_time)


def _error(code: int) -> bytes:
    return bytes([0, 0, code // 100, code % 100])


def _refused(code: int) -> Answer:
    """An error instead of a success with a token."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if Attr.ACCESS_TOKEN not in request.types or response.message_class is Class.ERROR:
            return response.data
        builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
        return builder.add(Attr.ERROR_CODE, _error(code)).build()

    return answer


def _to_token(code: int, other: int | None) -> Mutant:
    """Another error, or a success, instead of one to a request with a token."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if Attr.ACCESS_TOKEN not in request.types or response.error_code != code:
            return response.data
        if other is not None:
            return edited(response, request, change={Attr.ERROR_CODE: _error(other)})
        drop = [Attr.ERROR_CODE, Attr.REALM, Attr.NONCE]
        return edited(response, request, message_class=Class.SUCCESS, drop=drop)

    return Mutant(answer)


def _on_challenge(answer: Answer) -> Mutant:
    return Mutant(lambda q, a: answer(q, a) if a.error_code == 401 else a.data)


def _signed_by_password(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """As if the kid were a user's name."""
    is_success = response.message_class is Class.SUCCESS
    return edited(response, request) if is_success else response.data


def _lifetime(seconds: int, method: Method) -> Mutant:
    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.message_class is not Class.SUCCESS:
            return response.data
        return edited(response, request, change={Attr.LIFETIME: u32(seconds)})

    return Mutant(only(method, answer))


def _tokens_passed_over(data: bytes) -> bytes:
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError:
        return data
    if Attr.ACCESS_TOKEN not in message.types:
        return data
    return edited(message, message, drop=[Attr.ACCESS_TOKEN])


def _unlisted(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if response.error_code != 420:
        return response.data
    return edited(response, request, change={Attr.UNKNOWN_ATTRIBUTES: b"\x7f\xff"})


MUTANTS = {
    "TURN-OAUTH-01": {
        "says-400": _on_challenge(lambda q, a: edited(a, q, change={Attr.ERROR_CODE: _error(400)})),
        "none": _on_challenge(lambda q, a: edited(a, q, drop=[Attr.THIRD_PARTY_AUTHORIZATION])),
        "empty": _on_challenge(
            lambda q, a: edited(a, q, change={Attr.THIRD_PARTY_AUTHORIZATION: b""})
        ),
        "another": _on_challenge(
            lambda q, a: edited(a, q, change={Attr.THIRD_PARTY_AUTHORIZATION: b"netsim"})
        ),
    },
    "TURN-OAUTH-02": {
        "refuses": Mutant(_refused(401)),
        "signs-with-another-key": Mutant(_signed_by_password),
    },
    "TURN-OAUTH-03": {
        "at-any-time": Mutant(options={"third_party_auth": _Timeless(TOKEN_SERVER, [TOKEN_KEY])}),
        "of-other-servers": Mutant(
            options={"third_party_auth": _Namesake(TOKEN_SERVER, [TOKEN_KEY])}
        ),
        "says-400": _to_token(401, 400),
        "grants": _to_token(401, None),
    },
    "TURN-OAUTH-04": {
        "lists-nothing": without(is_error(420), Attr.UNKNOWN_ATTRIBUTES),
        "passes-over": Mutant(take=_tokens_passed_over),
        "says-401": _to_token(420, 401),
        "lists-another": Mutant(_unlisted),
    },
    "TURN-OAUTH-05": {
        "no-lifetime": without(is_success(Method.REFRESH), Attr.LIFETIME),
        "allocates-for-long": _lifetime(600, Method.ALLOCATE),
        "refreshes-for-long": _lifetime(3600, Method.REFRESH),
    },
    "TURN-OAUTH-06": {
        "refuses-all-afterwards": once(
            lambda q, a: Attr.ACCESS_TOKEN in q.types and a.error_code == 401,
            is_success(Method.ALLOCATE),
            failing(401),
        ),
        "takes-any": _to_token(401, None),
    },
}

OPEN: dict[str, str] = {}

SETUPS = {
    row_id: Setup({"third_party_auth": TOKENS}) for row_id in MUTANTS if row_id != "TURN-OAUTH-04"
}
