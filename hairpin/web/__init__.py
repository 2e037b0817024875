"""The web page of ``hairpin demo``: plain HTML and JavaScript modules under ``static``."""

from .page import PageSource, add_page

__all__ = ["PageSource", "add_page"]
