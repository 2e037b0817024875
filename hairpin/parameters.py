"""What may stand on a command line, beyond click's own types."""

from __future__ import annotations

import ipaddress
import urllib.parse

import click

from transport import IPAddress

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def base_url(text: str) -> str:
    """The scheme, host and port of an HTTP service, without a trailing slash.

    Raises:
        ValueError: it is something else; the message says what is expected.
    """
    problem = f"{text!r} is not a URL such as http://127.0.0.1:8080 or https://kvs.example.org"
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(problem) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(problem)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r}: there is nothing after the host and its port")
    if "@" in parts.netloc or any(not 0x20 < ord(each) < 0x7F for each in text):
        raise ValueError(problem)
    return f"{parts.scheme}://{parts.netloc}"


class BaseUrlType(click.ParamType[str]):
    """http://HOST[:PORT] or https://HOST[:PORT]."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return base_url(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class SecretPairType(click.ParamType[tuple[str, str]]):
    """A name and a secret; the name ends at the first colon."""

    def __init__(self, what: str, name: str) -> None:
        self._what = what
        self.name = name

    def convert(
        self,
        value: str | tuple[str, str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, separator, secret = value.partition(":")
        if not separator or not name or not secret:
            # The value is not shown: what is wrong with it may be a secret.
            self.fail(f"{self._what} is {self.name}", param, ctx)
        return name, secret


class IPType(click.ParamType[IPAddress]):
    """An IP address of this host."""

    name = "IP"

    def convert(
        self, value: str | IPAddress, param: click.Parameter | None, ctx: click.Context | None
    ) -> IPAddress:
        try:
            return ipaddress.ip_address(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class PortsType(click.ParamType[range]):
    """A port, or the first and the last of several."""

    name = "PORT[-PORT]"

    def convert(
        self, value: str | range, param: click.Parameter | None, ctx: click.Context | None
    ) -> range:
        if isinstance(value, range):
            return value
        first, separator, last = value.partition("-")
        ports = [first, last] if separator else [first, first]
        if not all(each.isascii() and each.isdigit() and len(each) <= 5 for each in ports):
            self.fail(f"{value!r} is not a port, nor FIRST-LAST", param, ctx)
        lowest, highest = map(int, ports)
        if not 1 <= lowest <= highest <= 0xFFFF:
            self.fail(f"{value!r}: ports are from 1 to 65535, the first one first", param, ctx)
        return range(lowest, highest + 1)


class NetworkType(click.ParamType[IPNetwork]):
    """An IP network; an address alone is a network of one."""

    name = "CIDR"

    def convert(
        self, value: str | IPNetwork, param: click.Parameter | None, ctx: click.Context | None
    ) -> IPNetwork:
        try:
            return ipaddress.ip_network(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
