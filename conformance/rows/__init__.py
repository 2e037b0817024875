"""The rows that can be run, a module for each group of the catalogue.

Importing this package registers them: see ``conformance.row``.
"""

from . import stuns_base

__all__ = ["stuns_base"]
