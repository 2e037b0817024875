"""Rows of the catalogue that no row function shows, and why.

What is seen only inside of a server, needs another configuration than one run can have, or
takes hours. ``hairpin conformance list`` prints the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

UNSHOWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "COD-MI-04": "servers at an address of their own want long-term credentials",
        "COD-MI-07": "wants a user whose name ends with a NUL, or whose realm has quotes",
        "COD-MI-08": "whether a comparison takes constant time is for a review: no run can tell",
        "COD-TXT-02": "wants a user whose name OpaqueString changes",
        "COD-TXT-10": "wants a server that redirects clients by name",
        "DEMUX-02": "it is about clients",
        "NATB-12": "what a client finds out about its NAT: hairpin's own tests show it behind NATs",
        "SEC-11": "the memory of a server is seen only inside, and addresses are not to be forged",
        "SEC-14": "buffers and the memory of a server are seen only inside",
        "SEC-21": "whether a comparison takes constant time is for a review: no run can tell",
        "SEC-23": "what a server writes into its logs is seen only there",
        "STUNC-ALT-02": "wants two servers with certificates that a client trusts",
        "STUNC-DNS-01": "wants a resolver that is scripted, too",
        "STUNC-DNS-02": "wants a resolver that is scripted, too",
        "STUNC-DNS-03": "wants a resolver that is scripted, too",
        "STUNC-DNS-04": "wants a resolver that is scripted, too",
        "STUNC-DNS-05": "wants a resolver that is scripted, too",
        "STUNC-DNS-06": "wants a resolver that is scripted, too",
        "STUNC-DNS-07": "wants a resolver that is scripted, too",
        "STUNC-DNS-08": "wants a resolver that is scripted, too",
        "STUNC-DNS-09": "wants a resolver that is scripted, too",
        "STUNC-DNS-10": "wants a resolver that is scripted, too",
        "STUNC-DNS-11": "wants a resolver that is scripted, too",
        "STUNC-DNS-12": "wants a resolver that is scripted, too",
        "STUNC-DNS-13": "wants a resolver that is scripted, too",
        "STUNC-DNS-14": "wants a resolver that is scripted, too",
        "STUNC-DNS-15": "wants a resolver that is scripted, too",
        "STUNC-NAT-01": "wants NATs around the client: hairpin's own tests have them",
        "STUNC-NAT-02": "wants NATs around the client: hairpin's own tests have them",
        "STUNC-NAT-03": "wants NATs around the client: hairpin's own tests have them",
        "STUNC-NAT-04": "wants NATs around the client: hairpin's own tests have them",
        "STUNC-NAT-05": "wants NATs around the client: hairpin's own tests have them",
        "STUNC-NAT-06": "wants NATs around the client: hairpin's own tests have them",
        "STUNC-NAT-07": "wants NATs around the client: hairpin's own tests have them",
        "STUNC-RX-07": "what a client tells its caller is seen only inside",
        "STUNC-TCP-07": "wants certificates, right and wrong ones, of whom the client trusts",
        "STUNC-UDP-05": "how a client measures round-trip times is seen only inside",
        "STUNC-UDP-06": "what a client remembers of round-trip times is seen only inside",
        "STUNS-ALT-03": "wants a server that redirects clients to one with another certificate",
        "STUNS-LTC-19": "what a server stores is seen only inside",
        "STUNS-STC-01": "short-term credentials are for ICE agents, which have no URI",
        "STUNS-STC-02": "short-term credentials are for ICE agents, which have no URI",
        "STUNS-STC-03": "short-term credentials are for ICE agents, which have no URI",
        "STUNS-STC-04": "short-term credentials are for ICE agents, which have no URI",
        "STUNS-TCP-08": "wants handshakes of outdated TLS, which hosts no longer make",
        "TURN-ICMP-02": "wants a router between server and peer that sends an ICMP error",
        "TURN-ICMP-03": "wants forged ICMP messages, for which a host needs privileges",
        "TURN-IP-04": "wants peers of both families at once: a run has one peer address",
        "TURN-SEND-07": "wants a peer that is permitted first and forbidden afterwards",
        "TURNC-ALLOC-10": "whether a client tries another transport is up to it",
        "TURNC-ALLOC-12": "wants a server with a name, and addresses of both families",
        "TURNC-PERM-06": "what a client tells its application is seen only inside",
    }
)
"""Id of a row -> the reason, in a few words."""
