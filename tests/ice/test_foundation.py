"""Foundations (RFC 8445 section 5.1.1.3)."""

import ipaddress
import itertools

import pytest

from ice import CandidateType
from ice.foundation import Foundations, unused_foundation

IPS = [ipaddress.ip_address(ip) for ip in ("192.0.2.1", "192.0.2.2", "2001:db8::1")]


@pytest.mark.requirement("ice:F01")
@pytest.mark.requirement("ice:F02")
def test_a_foundation_is_equal_exactly_when_type_base_server_and_transport_are() -> None:
    foundations = Foundations()
    cases = list(itertools.product(CandidateType, IPS, [None, IPS[0]], ["udp", "tcp"]))

    names = {
        case: foundations.of(case[0], case[1], server=case[2], transport=case[3]) for case in cases
    }
    again = {
        case: foundations.of(case[0], case[1], server=case[2], transport=case[3]) for case in cases
    }

    assert len(set(names.values())) == len(cases)
    assert names == again


@pytest.mark.requirement("ice:F05")
def test_a_learned_candidate_gets_a_foundation_that_nobody_has() -> None:
    assert unused_foundation({"1", "prflx1", "prflx2"}) == "prflx3"
