"""Room that is shared out by network."""

from __future__ import annotations

from ipaddress import ip_address

from transport import Places


def test_one_network_has_so_many_places_and_all_together_no_more_than_there_are() -> None:
    places = Places(4, per_network=2)
    taken = [
        places.take(ip_address(text))
        for text in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")
    ]

    assert taken == [True, True, False, True, True, False]
    assert len(places) == 4


def test_a_64_of_ipv6_is_one_network_and_an_ipv4_address_one_in_both_spellings() -> None:
    places = Places(10, per_network=1)

    assert places.take(ip_address("2001:db8::1"))
    assert not places.take(ip_address("2001:db8::2:3"))
    assert places.take(ip_address("2001:db8:0:1::1"))
    assert places.take(ip_address("192.0.2.1"))
    assert not places.take(ip_address("::ffff:192.0.2.1"))


def test_a_place_that_is_given_back_can_be_taken_again() -> None:
    places, ip = Places(1, per_network=1), ip_address("192.0.2.1")
    assert places.take(ip)

    places.give_back(ip)

    assert len(places) == 0
    assert places.take(ip)
