"""What the server offers, found out before the rows are run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from .row import Feature


@dataclasses.dataclass(frozen=True, slots=True)
class Survey:
    """For each feature that is not offered, how that was found out."""

    missing: Mapping[Feature, str] = dataclasses.field(default_factory=dict)

    def why_not(self, needs: frozenset[Feature]) -> str | None:
        """The first reason why a row that needs these cannot be run, or None."""
        for feature in Feature:
            if feature in needs and feature in self.missing:
                return f"not offered: {feature.value}; {self.missing[feature]}"
        return None
