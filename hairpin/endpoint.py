"""HOST:PORT as it stands on a command line."""

from __future__ import annotations

import click

from transport import TransportAddress


def parse_endpoint(text: str) -> TransportAddress:
    """An IP address and a port; IPv6 in brackets. ``localhost`` is 127.0.0.1.

    Raises:
        ValueError: it is something else; the message says what is expected.
    """
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not host or not port.isdecimal():
        raise ValueError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    try:
        return TransportAddress.parse("127.0.0.1" if host == "localhost" else host, int(port))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; HOST is an IP address of this machine") from error


class EndpointType(click.ParamType[TransportAddress]):
    """A click parameter that is a transport address."""

    name = "HOST:PORT"

    def convert(
        self,
        value: str | TransportAddress,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> TransportAddress:
        if isinstance(value, TransportAddress):
            return value
        try:
            return parse_endpoint(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


ENDPOINT = EndpointType()
