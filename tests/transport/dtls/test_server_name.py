"""Whose a certificate is (RFC 6125)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from transport.dtls.server_name import names_server

from .issued import KEY, certificate


@pytest.mark.requirement("stun-turn:STUNC-TCP-07")
@pytest.mark.parametrize(
    ("dns", "name", "is_good"),
    [
        pytest.param(["relay.example"], "relay.example", True, id="same"),
        pytest.param(["relay.example"], "RELAY.Example.", True, id="case-and-last-dot"),
        pytest.param(["a.example", "b.example"], "b.example", True, id="second"),
        pytest.param(["relay.example"], "other.example", False, id="other"),
        pytest.param(["relay.example"], "a.relay.example", False, id="below"),
        pytest.param(["*.example.org"], "relay.example.org", True, id="wildcard"),
        pytest.param(["*.example.org"], "a.b.example.org", False, id="wildcard-of-two-labels"),
        pytest.param(["*.example.org"], "example.org", False, id="wildcard-of-none"),
        pytest.param(["*.org"], "example.org", False, id="wildcard-of-a-top-level-domain"),
        pytest.param(["r*.example.org"], "relay.example.org", False, id="part-of-a-label"),
        pytest.param(["a.*.org"], "a.example.org", False, id="not-left-most"),
        pytest.param(["xn--bcher-kva.example"], "bücher.example", True, id="international"),
        pytest.param(["relay.example"], "", False, id="empty"),
        pytest.param(["relay.example"], "a..example", False, id="empty-label"),
        pytest.param(["relay.example"], "ü" * 80, False, id="no-name"),
    ],
)
def test_a_name_is_one_of_those_of_the_certificate(
    dns: Sequence[str], name: str, is_good: bool
) -> None:
    assert names_server(certificate(KEY, dns=dns, common_name="other"), name) is is_good


def test_the_common_name_counts_only_without_another_name() -> None:
    assert names_server(certificate(KEY, dns=[], common_name="cn.example"), "cn.example")
    assert not names_server(certificate(KEY, common_name="cn.example"), "cn.example")
    assert not names_server(certificate(KEY, dns=[], common_name=""), "cn.example")


def test_an_ip_address_is_named_as_one() -> None:
    made = certificate(KEY, dns=["192.0.2.1"], ips=["192.0.2.7", "2001:db8::7"])

    assert names_server(made, "192.0.2.7")
    assert names_server(made, "2001:db8:0::7")
    assert not names_server(made, "192.0.2.1")
