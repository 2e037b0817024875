"""a=crypto: SDES keys, read but never accepted (RFC 4568; RFC 8827 section 6.5)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.grammar import match

_CRYPTO = re.compile(r"([0-9]{1,9}) +([A-Za-z0-9_]+) +([!-~]+)((?: +[!-~]+)*) *")


@dataclasses.dataclass(frozen=True, slots=True)
class Crypto:
    """Tag, crypto suite, key parameters (``inline:...``) and session parameters."""

    NAME: ClassVar[str] = "crypto"

    tag: int
    suite: str
    key_parameters: tuple[str, ...] = dataclasses.field(repr=False)
    session_parameters: tuple[str, ...] = ()

    @classmethod
    def parse(cls, value: str) -> Self:
        if _CRYPTO.fullmatch(value) is None:
            match(_CRYPTO, "", "crypto attribute; not shown, it holds a key")
        tag, suite, keys, session = match(_CRYPTO, value, "crypto attribute").groups()
        return cls(int(tag), suite, tuple(keys.split(";")), tuple(session.split()))

    def __str__(self) -> str:
        keys = ";".join(self.key_parameters)
        return " ".join((f"{self.tag} {self.suite} {keys}", *self.session_parameters))
