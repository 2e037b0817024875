"""The web page of ``hairpin demo``: plain HTML and JavaScript modules under ``static``."""

from .page import Invitation, PageSource, add_page

__all__ = ["Invitation", "PageSource", "add_page"]
