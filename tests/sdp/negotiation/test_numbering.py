"""RFC 3264 section 8.3.2: a number that was used keeps its meaning."""

from __future__ import annotations

import dataclasses

import pytest

from sdp import DescriptionRefused
from sdp.attributes.extmap import ExtMap
from sdp.negotiation.formats import Formats
from sdp.negotiation.numbering import Numbering
from tests.sdp.negotiation.parties import H264, OPUS, VP8


def test_a_codec_has_one_number_however_often_it_is_asked_for() -> None:
    numbering = Numbering()

    numbers = [numbering.number(codec) for codec in (VP8, H264, VP8)]

    assert numbers == [96, 97, 96]
    assert numbering.number_rtx(VP8) == numbering.number_rtx(VP8) == 98


def test_what_the_peer_means_by_a_number_outranks_our_proposal() -> None:
    numbering = Numbering()
    assert numbering.number(VP8) == 96
    theirs = dataclasses.replace(OPUS, payload_type=96, rtx_payload_type=97)

    numbering.offered_by_peer(Formats((theirs,), (98,), ()))

    assert numbering.number(VP8) == 99


def test_numbers_taken_over_in_an_answer_are_kept() -> None:
    numbering = Numbering()
    receive = dataclasses.replace(VP8, payload_type=120, rtx_payload_type=121)

    numbering.agreed(VP8, receive)

    assert (numbering.number(VP8), numbering.number_rtx(VP8)) == (120, 121)


def test_extension_ids_give_way_to_the_peers() -> None:
    numbering = Numbering()
    assert [numbering.extension_id(uri) for uri in ("urn:a", "urn:b", "urn:a")] == [1, 2, 1]

    numbering.extensions_offered_by_peer([ExtMap(1, "urn:x"), ExtMap(2, "urn:b")])

    assert (numbering.extension_id("urn:a"), numbering.extension_id("urn:b")) == (3, 2)


def test_more_than_14_extensions_leave_15_out() -> None:
    """RFC 8285 section 4.2: id 15 is reserved in the one-byte form."""
    numbering = Numbering()

    ids = [numbering.extension_id(f"urn:{number}") for number in range(16)]

    assert ids == [*range(1, 15), 16, 17]
    assert numbering.free_extension_id(()) is None


def test_ids_run_out() -> None:
    numbering = Numbering()
    numbering.extensions_offered_by_peer([ExtMap(i, f"urn:{i}") for i in range(1, 257)])

    with pytest.raises(DescriptionRefused):
        numbering.extension_id("urn:new")


def test_mids_are_never_used_again() -> None:
    numbering = Numbering()
    numbering.mids_seen(["0", "2"])

    assert numbering.mid() == "1"
    assert numbering.mid(["1"]) == "3"
