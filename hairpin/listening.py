"""Addresses to listen on, and what clients are told of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from transport import IPAddress, TransportAddress

from .parameters import IPNetwork


def expand(listen: Sequence[TransportAddress]) -> Iterator[TransportAddress]:
    """A wildcard as the addresses it stands for: an answer leaves from where it was asked.

    0.0.0.0 stands for those of IPv4, [::] for all, as a socket on it takes both.
    """
    for address in listen:
        if not address.ip.is_unspecified:
            yield address
            continue
        from ice.aio import local_addresses  # a relay needs nothing else of ICE

        for interface in local_addresses():
            # One that is still checked for duplicates cannot be bound yet.
            if interface.usable and (address.is_ipv6 or interface.ip.version == 4):
                yield TransportAddress(interface.ip, address.port)


def farthest_first(listening: Sequence[TransportAddress]) -> tuple[IPAddress, ...]:
    """The IP addresses, what reaches farthest first; those of one link only if there is
    nothing else."""
    unique = dict.fromkeys(address.ip for address in listening)
    wide = [ip for ip in unique if not ip.is_link_local] or list(unique)
    return tuple(sorted(wide, key=lambda ip: (ip.is_loopback, ip.is_private)))


def told_to_clients(
    listening: Sequence[TransportAddress], *, at_most: int
) -> tuple[TransportAddress, ...]:
    """Where clients may reach a server: not on loopback, unless it is nowhere else."""
    order = farthest_first(listening)
    reaching = [ip for ip in order if not ip.is_loopback] or order
    addresses = sorted(
        (each for each in listening if each.ip in reaching), key=lambda each: order.index(each.ip)
    )
    return tuple(addresses[:at_most])


def refused_networks(
    relay_addresses: Sequence[IPAddress], allowed: Sequence[IPNetwork]
) -> str | None:
    """What to tell an operator whose relay cannot reach its own neighbours; None if it can.

    A relay refuses private peers, which on a private network are all there are.
    """
    refused = [
        str(ip)
        for ip in relay_addresses
        if not ip.is_global and not any(ip in network for network in allowed)
    ]
    if not refused:
        return None
    return (
        f"peers on the network of {' and '.join(refused)} because it is private: "
        "--allow-peer CIDR lets them in"
    )
