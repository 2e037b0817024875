"""Figures that a test prints, captured or not."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str], None]
