"""Servers that break one requirement each, a module for each group of rows.

A group's module has ``MUTANTS``: for each row what breaks it, by a name that says how.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import cod, stuns_base
from .mutant import Mutant

MUTANTS: Mapping[str, Mapping[str, Mutant]] = {**cod.MUTANTS, **stuns_base.MUTANTS}

OPEN: Mapping[str, str] = {**cod.OPEN, **stuns_base.OPEN}
"""Rows without mutants, and why: whatever the server does, the RFC allows it."""

__all__ = ["MUTANTS", "OPEN", "Mutant"]
