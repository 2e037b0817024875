"""HTML that cannot be broken by what is written into it."""

from __future__ import annotations

import html


class Markup(str):
    """Text that is HTML already; any other string is escaped where it is put in."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | int | bool | None) -> Markup:
    """An element; of attributes, ``class_`` is class and ``data_id`` data-id.

    An attribute that is True stands without a value, one that is False or None not at all.
    """
    written = "".join(
        _attribute(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not False and value is not None
    )
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def void(name: str, /, **attributes: str | int | bool | None) -> Markup:
    """An element that has no content and no end tag."""
    return Markup(tag(name, **attributes).removesuffix(f"</{name}>"))


def join(*children: str) -> Markup:
    """Several pieces behind each other."""
    return Markup("".join(each if isinstance(each, Markup) else _escape(each) for each in children))


def _attribute(name: str, value: str | int | bool) -> str:
    return f" {name}" if value is True else f' {name}="{_escape(str(value))}"'


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
