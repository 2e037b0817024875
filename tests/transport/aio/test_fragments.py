"""Whether the network may cut what a socket sends."""

from __future__ import annotations

import socket

import pytest

from transport.aio import allow_fragments
from transport.aio.fragments import unfragmented

IP_MTU_DISCOVER = 10
IP_PMTUDISC_DO = 2
IP_PMTUDISC_OMIT = 5
IPV6_DONTFRAG = 62
"""Of Linux's in.h; Python has no names for them."""


@pytest.mark.requirement("stun-turn:TURN-IP-03", "stun-turn:TURN-IP-05")
def test_no_socket_of_a_relay_forbids_fragments() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        before = sock.getsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER)

        allow_fragments(sock)

        assert sock.getsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_OMIT != before


def test_ipv6_has_no_df_bit() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        allow_fragments(sock)


def test_the_df_bit_is_set_for_a_while_alone() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        allow_fragments(sock)

        with unfragmented(sock):
            assert sock.getsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_DO

        assert sock.getsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_OMIT


def test_ipv6_is_not_cut_by_this_host_for_a_while() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        with unfragmented(sock):
            assert sock.getsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG) == 1

        assert sock.getsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG) == 0
