"""Typed views of attributes: one thing per file, each with ``parse`` and ``str``."""
