"""Documents generated from the grammar (RFC 8866 section 9)."""

from __future__ import annotations

import string

from hypothesis import strategies as st

TOKEN_CHARACTERS = string.ascii_letters + string.digits + "!#$%&'*+-.^_`{|}~"

tokens = st.text(TOKEN_CHARACTERS, min_size=1, max_size=12)
words = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x17F, exclude_characters="\x7f"),
    min_size=1,
    max_size=12,
).filter(lambda text: not any(0x7F <= ord(c) < 0xA0 for c in text))
byte_strings = st.text(
    st.characters(min_codepoint=1, max_codepoint=0x2FF, exclude_characters="\r\n"),
    min_size=1,
    max_size=20,
)
digits = st.text(string.digits, min_size=1, max_size=24)
times = st.just("0") | st.integers(10**9, 10**12).map(str)
typed_times = st.tuples(st.integers(1, 10**6), st.sampled_from(["", "d", "h", "m", "s"])).map(
    lambda pair: f"{pair[0]}{pair[1]}"
)

ip4 = st.ip_addresses(v=4).filter(lambda a: not a.is_multicast).map(str)
ip6 = st.ip_addresses(v=6).map(str)
names = st.text(string.ascii_letters + string.digits, min_size=4, max_size=12)
connections = st.one_of(
    st.builds("IN IP4 {}".format, ip4 | names),
    st.builds("IN IP4 {}/{}".format, st.just("233.252.0.1"), st.integers(0, 255)),
    st.builds("IN IP4 233.252.0.1/{}/{}".format, st.integers(0, 255), st.integers(2, 99)),
    st.builds("IN IP6 {}".format, ip6 | names),
    st.builds("IN IP6 ff15::101/{}".format, st.integers(2, 99)),
)
origins = st.builds("{} {} {} IN IP4 {}".format, words, digits, digits, ip4 | names)
bandwidths = st.builds(
    "{}:{}".format, st.sampled_from(["CT", "AS", "TIAS", "RS", "RR"]) | tokens, digits
)
attributes = tokens | st.builds("{}:{}".format, tokens, byte_strings)
media = st.builds(
    "{} {} {} {}".format,
    tokens,
    st.integers(0, 65535) | st.builds("{}/{}".format, st.integers(0, 65535), st.integers(1, 9)),
    st.lists(tokens, min_size=1, max_size=3).map("/".join),
    st.lists(tokens, min_size=1, max_size=5).map(" ".join),
)
emails = st.builds("{}@{}".format, names, names)
phones = st.builds("+1 {}".format, st.integers(10**6, 10**9))


def _lines(kind: str, values: st.SearchStrategy[str], *, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(values.map(f"{kind}={{}}".format), max_size=most)


@st.composite
def _time_descriptions(draw: st.DrawFn) -> list[str]:
    lines = [f"t={draw(times)} {draw(times)}"]
    repeats = draw(st.integers(0, 2))
    for _ in range(repeats):
        offsets = " ".join(draw(st.lists(typed_times, min_size=1, max_size=2)))
        lines.append(f"r={draw(typed_times)} {draw(typed_times)} {offsets}")
    if repeats and draw(st.booleans()):
        lines.append(f"z={draw(st.integers(10**9, 10**11))} -{draw(typed_times)}")
    return lines


@st.composite
def _media_descriptions(draw: st.DrawFn) -> list[str]:
    return [
        f"m={draw(media)}",
        *draw(_lines("i", byte_strings, most=1)),
        f"c={draw(connections)}",
        *draw(_lines("c", connections, most=1)),
        *draw(_lines("b", bandwidths, most=2)),
        *draw(_lines("k", st.just("prompt"), most=1)),
        *draw(_lines("a", attributes, most=4)),
    ]


@st.composite
def document_lines(draw: st.DrawFn) -> list[str]:
    """The lines of a document that follows the grammar."""
    lines = ["v=0", f"o={draw(origins)}", f"s={draw(byte_strings)}"]
    for kind, values, most in (
        ("i", byte_strings, 1),
        ("u", st.just("http://example.org/a?b#c"), 1),
        ("e", emails, 2),
        ("p", phones, 2),
        ("c", connections, 1),
        ("b", bandwidths, 2),
    ):
        lines += draw(_lines(kind, values, most=most))
    for description in draw(st.lists(_time_descriptions(), min_size=1, max_size=2)):
        lines += description
    lines += draw(_lines("k", st.just("clear:x"), most=1))
    lines += draw(_lines("a", attributes, most=3))
    for description in draw(st.lists(_media_descriptions(), max_size=3)):
        lines += description
    return lines


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document with any mix of line endings, the last one perhaps missing."""
    lines = draw(document_lines())
    endings = draw(
        st.lists(st.sampled_from(["\r\n", "\n"]), min_size=len(lines), max_size=len(lines))
    )
    text = "".join(line + ending for line, ending in zip(lines, endings, strict=True))
    return text if draw(st.booleans()) else text.rstrip("\r\n")
