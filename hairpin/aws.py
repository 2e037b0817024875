"""How a client of the service is told which one, and with which key: as AWS's own tools are."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import os
import urllib.parse
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TypeVar

import aiohttp
import click

from signaling import AccessKey, SignalingError
from signaling.aio import ChannelUnreachable, ControlClient
from signaling.channel import DEFAULT_REGION

from .errors import HairpinError
from .interrupting import run_interruptibly
from .parameters import BaseUrlType, base_url
from .tls import check_certificates

DEFAULT_ENDPOINT = "http://127.0.0.1:8080"
"""Where ``hairpin serve`` listens unless told otherwise."""

ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_KINESIS_VIDEO", "AWS_ENDPOINT_URL")
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")

Command = Callable[..., None]
T = TypeVar("T")
Operation = Callable[[ControlClient], Awaitable[T]]


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceAccess:
    """Where the service is, and how to sign for it. ``ca_bundle`` is a file of authorities
    to trust beside the system's."""

    endpoint: str
    region: str
    key: AccessKey
    ca_bundle: str | None = None

    @property
    def is_on_loopback(self) -> bool:
        """Whether the service is on this machine, and told of as being nowhere else."""
        host = urllib.parse.urlsplit(self.endpoint).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def client(self) -> ControlClient:
        """A client of the service, to be entered."""
        return ControlClient(self.endpoint, self.key, self.region, ca_bundle=self.ca_bundle)


def service_options(command: Command) -> Command:
    """Let ``command`` take ``--endpoint`` and ``--region``, for ``read_access``."""
    region = click.option(
        "--region", help=f"What is signed for.  [default: AWS_REGION, or {DEFAULT_REGION}]"
    )
    endpoint = click.option(
        "--endpoint",
        type=BaseUrlType(),
        help=f"The service.  [default: AWS_ENDPOINT_URL, or {DEFAULT_ENDPOINT}]",
    )
    return endpoint(region(command))


def read_access(
    endpoint: str | None, region: str | None, environment: Mapping[str, str] = os.environ
) -> ServiceAccess:
    """What the command line and the AWS_* variables say.

    Raises:
        HairpinError: a variable is missing, or makes no sense.
    """
    bundle = environment.get("AWS_CA_BUNDLE") or None
    if bundle is not None:
        check_certificates(bundle, "AWS_CA_BUNDLE")
    return ServiceAccess(
        endpoint or _endpoint(environment),
        region or _first(environment, REGION_VARIABLES) or DEFAULT_REGION,
        AccessKey(
            _required(environment, "AWS_ACCESS_KEY_ID"),
            _required(environment, "AWS_SECRET_ACCESS_KEY"),
            environment.get("AWS_SESSION_TOKEN") or None,
        ),
        bundle,
    )


def run_operation(access: ServiceAccess, operation: Operation[T]) -> T:
    """Do one thing with the service, and return what came of it.

    Raises:
        HairpinError: the service refused it, or does not answer.
    """

    async def run() -> T:
        async with access.client() as client:
            return await operation(client)

    with explained(access):
        return run_interruptibly(run())


@contextlib.contextmanager
def explained(access: ServiceAccess) -> Iterator[None]:
    """Let what the service refuses, or that it is not there, be one line."""
    try:
        yield
    except ChannelUnreachable as error:
        raise HairpinError(f"{access.endpoint} does not answer: {_reason(error)}") from error
    except SignalingError as error:
        raise HairpinError(f"{access.endpoint} refused: {error}") from error


def _reason(error: ChannelUnreachable) -> str:
    """What the system said, without the innards of a client library."""
    match error.__cause__:
        case aiohttp.ClientConnectorCertificateError() as cause:
            return f"its certificate is not trusted ({cause.certificate_error})"
        case aiohttp.ClientConnectorError() as cause:
            return cause.os_error.strerror or str(cause.os_error)
        case TimeoutError():
            return "it took too long"
        case cause:
            return str(cause or error)


def _endpoint(environment: Mapping[str, str]) -> str:
    for name in ENDPOINT_VARIABLES:
        if value := environment.get(name):
            try:
                return base_url(value)
            except ValueError as error:
                raise HairpinError(f"{name}: {error}") from error
    return DEFAULT_ENDPOINT


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise HairpinError(
            f"{name} is not set: requests are signed with an access key of the service, "
            "given in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return value


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := environment.get(name))), None)
