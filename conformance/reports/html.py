"""A report for people: one page that needs nothing else, to be kept, sent and searched."""

from __future__ import annotations

import base64
import datetime
import hashlib
import importlib.resources
import itertools
from collections.abc import Callable, Sequence
from typing import Final

from conformance.describing_values import counted
from conformance.outcome import Verdict
from conformance.report import Entry, Report, entries
from conformance.requirements import Group, Requirement

from .exchange_page import exchange
from .markup import Markup, join, tag, void

WORDS: Final = {
    Verdict.PASS: "as required",
    Verdict.FAIL: "not as required",
    Verdict.INFO: "left open",
}
MAX_OPEN: Final = 3
"""Rows that failed are open from the start, unless they are more."""


def to_html(report: Report, *, repeat: Callable[[str], str] | None = None) -> bytes:
    """The page. ``repeat`` makes the command that runs a row alone of the row's id."""
    found = entries(report)
    script = _resource("script.js")
    title = f"Conformance of {report.target}"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_hash(script)}'"
    head = tag(
        "head",
        void("meta", charset="utf-8"),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", http_equiv="Content-Security-Policy", content=policy),
        void("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(_resource("style.css"))),
    )
    body = tag(
        "body",
        _header(report),
        _tiles(report),
        _groups(found),
        _missing(report),
        _filters(found),
        _rows(found, repeat),
        tag("script", Markup(script)),
    )
    page = tag("html", head, body, lang="en")
    return f"<!doctype html>\n{page}\n".encode()


def _header(report: Report) -> Markup:
    begun = datetime.datetime.fromtimestamp(report.begun, tz=datetime.UTC)
    failed, total = report.count(Verdict.FAIL), len(report.results)
    state, words = "good", "every row that could be judged is as required"
    if failed:
        state, words = "bad", f"{failed} of {total} rows failed"
    elif not report.count(Verdict.PASS):
        state, words = "busy", "no row passed"
    elif report.how_it_ended is not None:
        state, words = "busy", "not tested to the end"
    facts = [f"begun {begun:%Y-%m-%d %H:%M:%S} UTC", counted(total, "row"), *_stopped(report)]
    return tag(
        "header",
        tag(
            "div",
            tag("p", "hairpin conformance", class_="quiet"),
            tag("h1", str(report.target)),
            tag("p", " · ".join(facts), class_="quiet"),
        ),
        tag("p", tag("span", class_="dot"), words, class_="state", data_state=state),
    )


def _stopped(report: Report) -> Sequence[str]:
    return () if report.how_it_ended is None else (report.how_it_ended,)


def _tiles(report: Report) -> Markup:
    tiles = (
        tag(
            "button",
            tag("strong", str(report.count(verdict))),
            tag("span", verdict.value, class_="badge"),
            tag("span", _words(verdict, report), class_="quiet"),
            type="button",
            class_="some" if report.count(verdict) else "none",
            aria_pressed="false",
            data_verdict=verdict.value,
        )
        for verdict in (Verdict.FAIL, Verdict.PASS, Verdict.INFO, Verdict.SKIP)
    )
    return tag("section", *tiles, class_="tiles", aria_label="Verdicts; press to filter")


def _words(verdict: Verdict, report: Report) -> str:
    return report.target.wording.skipped if verdict is Verdict.SKIP else WORDS[verdict]


def _by_group(found: Sequence[Entry]) -> list[tuple[Group, list[Entry]]]:
    grouped = itertools.groupby(found, key=lambda entry: entry.group.name)
    return [(each[0].group, each) for each in (list(members) for _, members in grouped)]


def _groups(found: Sequence[Entry]) -> Markup:
    lines = [_group_line(group, members) for group, members in _by_group(found)]
    return tag("section", *lines, class_="groups", aria_label="Groups; press to filter")


def _group_line(group: Group, members: Sequence[Entry]) -> Markup:
    counts = {
        verdict: sum(entry.verdict is verdict for entry in members)
        for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.INFO, Verdict.SKIP)
    }
    bar = (
        tag("i", style=f"flex:{count}", class_=verdict.value)
        for verdict, count in counts.items()
        if count
    )
    words = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
    return tag(
        "button",
        tag("span", group.name, class_="id"),
        tag("span", group.title, class_="title"),
        tag("span", *bar, class_="bar"),
        tag("span", words, class_="quiet"),
        type="button",
        aria_pressed="false",
        data_group=group.name,
    )


def _missing(report: Report) -> Markup:
    missing = report.survey.missing
    if not missing:
        return Markup()
    lines = (
        tag("div", tag("dt", feature.value), tag("dd", how)) for feature, how in missing.items()
    )
    return tag(
        "details",
        tag(
            "summary",
            f"What is not offered, and how that was found out: {counted(len(missing), 'feature')}",
        ),
        tag("dl", *lines),
        class_="missing",
    )


def _filters(found: Sequence[Entry]) -> Markup:
    levels = [
        level
        for level in ("MUST", "SHOULD", "MAY", "defence")
        if any(entry.requirement.level == level for entry in found)
    ]
    groups = [(group.name, f"{group.name}: {group.title}") for group, _ in _by_group(found)]
    return tag(
        "form",
        tag("label", "Level ", _select("level", [(each, each) for each in levels])),
        tag("label", "Group ", _select("group", groups)),
        tag(
            "label",
            "Search ",
            void("input", type="search", id="search", placeholder="an id, a word"),
            class_="wide",
        ),
        tag("output", counted(len(found), "row"), id="shown"),
        tag("button", "open all", type="button", id="toggle"),
        tag("button", "reset", type="reset"),
        class_="filters",
    )


def _select(name: str, options: Sequence[tuple[str, str]]) -> Markup:
    every = tag("option", "all", value="")
    return tag("select", every, *(tag("option", text, value=v) for v, text in options), id=name)


def _rows(found: Sequence[Entry], repeat: Callable[[str], str] | None) -> Markup:
    failed = sum(entry.verdict is Verdict.FAIL for entry in found)
    sections = (
        tag(
            "section",
            tag("h2", tag("span", group.name, class_="id"), " ", group.title),
            *(_row(entry, repeat, is_open=failed <= MAX_OPEN) for entry in members),
            class_="group",
        )
        for group, members in _by_group(found)
    )
    nothing = tag("p", "No row is like that.", id="nothing", class_="quiet", hidden=True)
    return tag("main", *sections, nothing)


def _row(entry: Entry, repeat: Callable[[str], str] | None, *, is_open: bool) -> Markup:
    requirement = entry.requirement
    summary = tag(
        "summary",
        tag("span", entry.verdict.value, class_="badge"),
        tag("span", requirement.id, class_="id"),
        tag("span", requirement.title, class_="title"),
        tag("span", _where(requirement), class_="quiet"),
    )
    command = () if repeat is None else (_command(repeat(requirement.id)),)
    return tag(
        "details",
        summary,
        tag("div", _quote(entry), _seen(entry), *command, exchange(entry), class_="body"),
        class_="row",
        id=requirement.id,
        open=is_open and entry.verdict is Verdict.FAIL,
        data_verdict=entry.verdict.value,
        data_level=requirement.level,
        data_group=entry.group.name,
    )


def _where(requirement: Requirement) -> str:
    return " · ".join(filter(None, (requirement.source, requirement.level)))


def _quote(entry: Entry) -> Markup:
    return tag("blockquote", entry.sentence, " ", tag("cite", _where(entry.requirement)))


def _seen(entry: Entry) -> Markup:
    if not entry.detail:
        return Markup()
    return tag("p", tag("b", "Seen: "), entry.detail, class_="seen")


def _command(command: str) -> Markup:
    return tag("p", tag("b", "This row alone: "), tag("code", command), class_="command")


def _resource(name: str) -> str:
    return (importlib.resources.files(__package__) / "page" / name).read_text("utf-8")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(join(Markup(script)).encode()).digest()).decode()
