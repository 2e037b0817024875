"""Third-party authorization (RFC 7635), as commands are told of it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from turn.tokens import TokenKey, TokenVerifier

from .errors import HairpinError


class TokenKeyType(click.ParamType[TokenKey]):
    """KID:BASE64, with the time when the key expires behind it if it does."""

    name = "KID:BASE64[:EXPIRY]"

    def convert(
        self, value: str | TokenKey, param: click.Parameter | None, ctx: click.Context | None
    ) -> TokenKey:
        if isinstance(value, TokenKey):
            return value
        try:
            return read_token_key(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def read_token_key(text: str) -> TokenKey:
    """
    Raises:
        ValueError: it is none. What may be a key is not shown.
    """
    kid, _, rest = text.partition(":")
    if not kid or not rest.partition(":")[0]:
        raise ValueError("a token key is KID:BASE64, such as north:a2tra2tra2tra2tra2traw==")
    return TokenKey.parse(text)


def token_verifier(
    server_name: str | None, keys: Sequence[TokenKey], *, realm: str, is_enabled: bool
) -> TokenVerifier | None:
    """What takes access tokens; None where they are not enabled. The realm is the server's
    name unless it has another.

    Raises:
        HairpinError: something is missing, or there for nothing.
    """
    if not is_enabled:
        if server_name is not None or keys:
            raise HairpinError("--oauth-server-name and --oauth-key need --enable third-party-auth")
        return None
    if not keys:
        raise HairpinError("--enable third-party-auth needs a key: --oauth-key KID:BASE64")
    try:
        return TokenVerifier(realm if server_name is None else server_name, keys)
    except ValueError as error:
        raise HairpinError(f"--oauth-key: {error}") from error
