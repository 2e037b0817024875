from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import OpaqueStringError, opaque_string


@pytest.mark.requirement("stun-turn:COD-TXT-02")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("correct horse battery staple", None, id="rfc-8265-example-12"),
        pytest.param("Correct Horse Battery Staple", None, id="rfc-8265-example-13"),
        pytest.param("\u03c0\u00df\u00e5", None, id="rfc-8265-example-14"),
        pytest.param("Jack of \u2666s", None, id="rfc-8265-example-15"),
        pytest.param("foo\u1680bar", "foo bar", id="rfc-8265-example-16"),
        pytest.param("\u30de\u30c8\u30ea\u30c3\u30af\u30b9", None, id="matrix"),
        pytest.param("e\u0301", "\u00e9", id="nfc"),
        pytest.param("\u00a0\u3000", "  ", id="non-ascii-spaces"),
        pytest.param("\uff21\u00aa\u2168", None, id="compatibility-forms-are-kept"),
        pytest.param(":/?#[]@!$&'()*+,;=\"\\", None, id="ascii-punctuation"),
        pytest.param("l\u00b7l", None, id="middle-dot-between-l"),
        pytest.param("\u0375\u03b1", None, id="greek-numeral-sign"),
        pytest.param("\u05d0\u05f3\u05d0\u05f4", None, id="geresh-and-gershayim"),
        pytest.param("\u30fb\u30a2", None, id="katakana-middle-dot"),
        pytest.param("\u0660\u0669", None, id="arabic-indic-digits"),
        pytest.param("\u06f0\u06f9", None, id="extended-arabic-indic-digits"),
        pytest.param("\u0915\u094d\u200d\u0937", None, id="joiner-after-virama"),
        pytest.param("\U0001f600", None, id="emoji"),
    ],
)
def test_allowed_strings_are_spaced_and_composed(text: str, expected: str | None) -> None:
    assert opaque_string(text) == (text if expected is None else expected)


@pytest.mark.requirement("stun-turn:COD-TXT-02")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="rfc-8265-example-17"),
        pytest.param("my cat is a \tby", id="rfc-8265-example-18"),
        pytest.param("a\0", id="nul"),
        pytest.param("\u00e9\x7f", id="delete"),
        pytest.param("\u00e9\u0085", id="c1-control"),
        pytest.param("a\u00adb", id="soft-hyphen"),
        pytest.param("a\u2028b", id="line-separator"),
        pytest.param("a\ufeffb", id="byte-order-mark"),
        pytest.param("a\u034fb", id="combining-grapheme-joiner"),
        pytest.param("a\ufe0f", id="variation-selector"),
        pytest.param("\u1100", id="old-hangul-jamo"),
        pytest.param("\u0640", id="tatweel"),
        pytest.param("\ue000", id="private-use"),
        pytest.param("\ud800", id="surrogate"),
        pytest.param("\ufffe", id="noncharacter"),
        pytest.param("\u0378", id="unassigned"),
        pytest.param("a\u00b7l", id="middle-dot-elsewhere"),
        pytest.param("\u0375a", id="greek-numeral-sign-elsewhere"),
        pytest.param("\u0375", id="greek-numeral-sign-at-the-end"),
        pytest.param("\u05f3", id="geresh-at-the-start"),
        pytest.param("a\u30fb", id="katakana-middle-dot-alone"),
        pytest.param("\u0660\u06f0", id="mixed-digits"),
        pytest.param("\u200d", id="joiner-at-the-start"),
        pytest.param("a\u200c", id="non-joiner-after-a-letter"),
        pytest.param("\u0628\u200c\u0628", id="non-joiner-between-letters-that-join"),
    ],
)
def test_what_the_freeform_class_lacks_is_refused(text: str) -> None:
    with pytest.raises(OpaqueStringError):
        opaque_string(text)


def test_the_error_does_not_quote_the_string() -> None:
    with pytest.raises(OpaqueStringError) as error:
        opaque_string("secret\u00ad")

    assert "secret" not in str(error.value)


@given(st.text(max_size=20))
def test_any_text_is_enforced_or_refused(text: str) -> None:
    try:
        enforced = opaque_string(text)
    except OpaqueStringError:
        return

    assert unicodedata.is_normalized("NFC", enforced)
    assert {c for c in enforced if unicodedata.category(c) == "Zs"} <= {" "}
