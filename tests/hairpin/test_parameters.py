"""Values on a command line."""

from __future__ import annotations

import click
import pytest

from hairpin.parameters import PortsType, base_url
from hairpin.relay import relay_uri


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://kvs.example.org/", "https://kvs.example.org"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_the_url_of_a_service_is_a_scheme_a_host_and_a_port(text: str, url: str) -> None:
    assert base_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        *("", "kvs.example.org", "ftp://kvs.example.org", "http://", "http://:8080"),
        *("http://host:0", "http://host:99999", "http://host:x", "http://[::1"),
        *("http://host/path", "http://host?x=1", "http://host/#x", "http://user@host"),
        *("http://ho st", "http://höst", "http://host\n"),
    ],
)
def test_anything_else_is_no_url_of_a_service(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a URL|nothing after the host"):
        base_url(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("25", 25, 25), ("1-1023", 1, 1023), ("65535", 65535, 65535), ("1-65535", 1, 65535)],
)
def test_ports_are_one_or_from_the_first_to_the_last(text: str, first: int, last: int) -> None:
    assert PortsType().convert(text, None, None) == range(first, last + 1)


@pytest.mark.parametrize(
    "text", ["", "-", "25-", "-25", "x", "0", "0-9", "9-1", "65536", "1-2-3", "+1", "٢", "1 - 2"]
)
def test_anything_else_is_no_port(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not a port|the first one first"):
        PortsType().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("turn:turn.example.org", "turn:turn.example.org:3478"),
        ("turns:turn.example.org", "turns:turn.example.org:5349"),
        ("turn:192.0.2.1:443?transport=udp", "turn:192.0.2.1:443?transport=udp"),
        ("TURN:[2001:db8::1]?transport=TCP", "turn:[2001:db8::1]:3478?transport=tcp"),
    ],
)
def test_a_relay_is_named_with_its_port(text: str, uri: str) -> None:
    assert relay_uri(text) == uri


@pytest.mark.parametrize("text", ["", "stun:host", "turn://host", "host:3478", "turn:host:99999"])
def test_what_is_no_relay_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"URI|is not turn:"):
        relay_uri(text)
