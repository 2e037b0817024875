"""RFC 8859: attributes of bundled sections."""

from __future__ import annotations

import pytest

from sdp.attributes.mux import MuxCategory, category, is_bundle_attribute


@pytest.mark.requirement("sdp-media:SDP-A29")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rtcp-mux", MuxCategory.IDENTICAL),
        ("tls-id", MuxCategory.IDENTICAL),
        ("fingerprint", MuxCategory.TRANSPORT),
        ("candidate", MuxCategory.TRANSPORT),
        ("setup", MuxCategory.TRANSPORT),
        ("extmap", MuxCategory.SPECIAL),
        ("rtpmap", MuxCategory.IDENTICAL_PER_PT),
        ("ptime", MuxCategory.IDENTICAL_PER_PT),
        ("msid", MuxCategory.NORMAL),
        ("sctp-port", MuxCategory.CAUTION),
        ("never-heard-of", MuxCategory.TBD),
    ],
)
def test_categories_are_those_of_the_registry(name: str, expected: MuxCategory) -> None:
    assert category(name) is expected


@pytest.mark.requirement("sdp-media:SDP-A29")
def test_the_tagged_sections_transport_and_identical_attributes_hold_for_all() -> None:
    assert is_bundle_attribute("rtcp-mux")
    assert is_bundle_attribute("ice-ufrag")
    assert not is_bundle_attribute("mid")
