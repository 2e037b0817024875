"""The catalogues can be read, and are what they say."""

from __future__ import annotations

import re

import pytest

from conformance import CATALOGUES, load

SIZES = {"stun-turn": 413, "ice": 223, "sdp-media": 119}
SOURCE = re.compile(r"RFC \d{4}( §[\w.()]+)?|§[\w.()]+|CVE-\d{4}-\d+|draft-[a-z-]+")


@pytest.mark.parametrize("catalogue", CATALOGUES)
def test_a_catalogue_has_all_its_rows(catalogue: str) -> None:
    rows = [row for group in load(catalogue) for row in group.rows]

    assert len(rows) == SIZES[catalogue]


@pytest.mark.parametrize("catalogue", CATALOGUES)
def test_a_source_is_a_section_that_can_be_looked_up(catalogue: str) -> None:
    sources = {row.source for group in load(catalogue) for row in group.rows} - {""}

    assert [each for each in sources if not all(map(SOURCE.fullmatch, each.split(", ")))] == []


def test_a_row_of_stun_and_turn_has_a_level_and_a_title_of_its_own_in_its_group() -> None:
    for group in load("stun-turn"):
        assert {row.level for row in group.rows} <= {"MUST", "SHOULD", "MAY", "defence"}
        assert len({row.title for row in group.rows} - {""}) == len(group.rows), group.name
