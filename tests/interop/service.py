"""``hairpin serve`` for clients that are not ours, over plain HTTP or TLS."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import AsyncIterator

from hairpin.aws import ServiceAccess
from signaling import AccessKey

from .certificate import Certificate
from .process import hairpin

KEY_ID, SECRET = "AKIDINTEROP", "a secret/with+signs:and a colon"
REGION = "us-west-2"


@dataclasses.dataclass(frozen=True)
class Service:
    """A running service, and what its clients must know."""

    endpoint: str
    certificate: Certificate | None

    @property
    def settings(self) -> dict[str, str]:
        """As the scripts in ``js`` take them."""
        return {
            "endpoint": self.endpoint,
            "region": REGION,
            "accessKeyId": KEY_ID,
            "secretAccessKey": SECRET,
        }

    @property
    def environment(self) -> dict[str, str]:
        """For our own commands, and for Node, which must trust the certificate."""
        found = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
        }
        if self.certificate is not None:
            path = str(self.certificate.certificate)
            found |= {"AWS_CA_BUNDLE": path, "NODE_EXTRA_CA_CERTS": path}
        return found

    @property
    def access(self) -> ServiceAccess:
        """For our own client of the service, in this process."""
        bundle = None if self.certificate is None else str(self.certificate.certificate)
        return ServiceAccess(self.endpoint, REGION, AccessKey(KEY_ID, SECRET), bundle)

    @property
    def browser_arguments(self) -> list[str]:
        """Let Chromium trust this certificate alone."""
        if self.certificate is None:
            return []
        return [f"--ignore-certificate-errors-spki-list={self.certificate.fingerprint}"]


@contextlib.asynccontextmanager
async def serving(folder: pathlib.Path, scheme: str) -> AsyncIterator[Service]:
    """A service of its own on loopback, with a relay that reaches loopback peers."""
    certificate = Certificate.generate(folder) if scheme == "https" else None
    tls: tuple[str, ...] = ()
    if certificate is not None:
        tls = ("--tls-cert", str(certificate.certificate), "--tls-key", str(certificate.key))
    listen = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
    access = ("--access-key", f"{KEY_ID}:{SECRET}", "--allow-peer", "127.0.0.0/8")
    data = ("--data", str(folder / "data"))
    async with hairpin("serve", *listen, *data, *access, *tls) as command:
        endpoint = command.address.rstrip("/")
        assert endpoint.startswith(f"{scheme}://"), endpoint
        yield Service(endpoint, certificate)
