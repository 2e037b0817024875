"""The DF bit of what a relay sends."""

from __future__ import annotations

import socket

import pytest

from transport.aio import allow_fragments

IP_MTU_DISCOVER = 10
IP_PMTUDISC_OMIT = 5
"""Of Linux's in.h; Python has no names for them."""


@pytest.mark.requirement("stun-turn:TURN-IP-03")
def test_no_socket_of_a_relay_forbids_fragments() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        before = sock.getsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER)

        allow_fragments(sock)

        assert sock.getsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_OMIT != before


def test_ipv6_has_no_df_bit() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        allow_fragments(sock)
