from __future__ import annotations

import base64

import pytest

from media.rtcp import (
    App,
    Goodbye,
    SdesChunk,
    SdesItem,
    SourceDescription,
    decode_compound,
    random_cname,
)

# The null octets that end the items and fill the word, for every length of an item.
DESCRIPTIONS = [
    pytest.param("81ca0002 00000001 01 00 0000", b"", id="two"),
    pytest.param("81ca0002 00000001 01 01 61 00", b"a", id="one"),
    pytest.param("81ca0003 00000001 01 02 6162 00000000", b"ab", id="four"),
    pytest.param("81ca0003 00000001 01 03 616263 000000", b"abc", id="three"),
]


@pytest.mark.requirement("sdp-media:RTCP01")
@pytest.mark.parametrize(("data", "name"), DESCRIPTIONS)
def test_items_end_with_null_octets_to_the_word(data: str, name: bytes) -> None:
    description = SourceDescription((SdesChunk(1, (SdesItem(1, name),)),))

    assert description.encode() == bytes.fromhex(data)
    assert decode_compound(bytes.fromhex(data)) == [description]


def test_a_chunk_without_items_is_an_ssrc_and_a_word() -> None:
    assert SourceDescription((SdesChunk(1),)).encode() == bytes.fromhex("81ca00020000000100000000")


def test_the_name_is_found_among_items() -> None:
    chunk = SdesChunk(1, (SdesItem(6, b"tool"), SdesItem(1, b"name\xff")))

    assert chunk.cname == "name\ufffd"
    assert SdesChunk(1, (SdesItem(6, b"tool"),)).cname is None
    assert SourceDescription.for_cname(1, "name").chunks[0].cname == "name"


@pytest.mark.parametrize(
    "description",
    [
        pytest.param(SourceDescription((SdesChunk(1),) * 32), id="too-many-chunks"),
        pytest.param(SourceDescription((SdesChunk(1, (SdesItem(0, b""),)),)), id="item-0"),
        pytest.param(
            SourceDescription((SdesChunk(1, (SdesItem(1, bytes(256)),)),)), id="item-too-long"
        ),
    ],
)
def test_a_description_that_cannot_be_encoded_is_refused(description: SourceDescription) -> None:
    with pytest.raises(ValueError, match="SDES"):
        description.encode()


@pytest.mark.requirement("sdp-media:RTCP04")
def test_a_cname_has_96_random_bits() -> None:
    name = random_cname(lambda count: b"\xfb\xfb\xfb" * (count // 3))

    assert name == base64.b64encode(b"\xfb" * 12).decode()


@pytest.mark.requirement("sdp-media:RTCP01")
@pytest.mark.parametrize(
    ("data", "goodbye"),
    [
        pytest.param("80cb0000", Goodbye(()), id="of-nobody"),
        pytest.param("82cb0002 00000001 00000002", Goodbye((1, 2)), id="of-two"),
        pytest.param("81cb0002 00000001 03627965", Goodbye((1,), "bye"), id="with-a-reason"),
        pytest.param("81cb0003 00000001 0462796565000000", Goodbye((1,), "byee"), id="padded"),
    ],
)
def test_goodbye(data: str, goodbye: Goodbye) -> None:
    assert goodbye.encode() == bytes.fromhex(data)
    assert decode_compound(bytes.fromhex(data)) == [goodbye]


@pytest.mark.parametrize("goodbye", [Goodbye((1,) * 32), Goodbye((), "x" * 256)])
def test_a_goodbye_that_cannot_be_encoded_is_refused(goodbye: Goodbye) -> None:
    with pytest.raises(ValueError, match="BYE"):
        goodbye.encode()


@pytest.mark.requirement("sdp-media:RTCP01")
def test_app_has_the_layout_of_section_6_7() -> None:
    app = App(1, b"name", b"data", subtype=5)
    encoded = bytes.fromhex("85cc0003 00000001") + b"namedata"

    assert app.encode() == encoded
    assert decode_compound(encoded) == [app]


def test_the_name_of_an_app_packet_has_four_octets() -> None:
    with pytest.raises(ValueError, match="four octets"):
        App(1, b"abc")
