"""Reading the catalogues of requirements."""

from __future__ import annotations

import dataclasses
import importlib.resources
import tomllib
from typing import Final

CATALOGUES: Final = ("stun-turn", "ice", "sdp-media")


@dataclasses.dataclass(frozen=True, slots=True)
class Requirement:
    """One row; ``level`` is a word of RFC 2119, or "defence" where no RFC demands it.

    ``source`` is the section it comes from. What a catalogue does not say is empty.
    """

    id: str
    source: str = ""
    level: str = ""
    title: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Rows about one thing, whose ids begin with ``name``."""

    name: str
    title: str
    rows: tuple[Requirement, ...]


def load(catalogue: str) -> tuple[Group, ...]:
    """The groups of one of CATALOGUES, in its order.

    Raises:
        ValueError: an id is there twice, or is not its group's.
    """
    folder = importlib.resources.files(__package__) / "catalogue"
    content = tomllib.loads((folder / f"{catalogue}.toml").read_text("utf-8"))
    groups = tuple(
        Group(name, each["title"], tuple(Requirement(*row) for row in each["rows"]))
        for name, each in content.items()
    )
    _check(groups)
    return groups


def _check(groups: tuple[Group, ...]) -> None:
    seen: set[str] = set()
    for group in groups:
        for row in group.rows:
            if row.id in seen or not row.id.startswith(group.name):
                raise ValueError(f"{row.id} stands twice, or in a group that is not its own")
            seen.add(row.id)
