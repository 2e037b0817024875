"""Username fragments and passwords (RFC 8445 section 5.3)."""

import os

import pytest

from ice import IceConfig, IceCredentials


@pytest.mark.requirement("ice:X01")
def test_generated_credentials_have_the_entropy_of_the_rfc() -> None:
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return os.urandom(count)

    credentials = IceCredentials.generate(random_bytes)

    # six random bits per character, each from a byte of its own
    assert asked == [len(credentials.ufrag), len(credentials.password)]
    assert 6 * len(credentials.ufrag) >= 24
    assert 6 * len(credentials.password) >= 128


def test_every_byte_becomes_an_ice_char() -> None:
    source = iter([bytes(range(8)), bytes(range(232, 256))])

    credentials = IceCredentials.generate(lambda count: next(source))

    assert credentials == IceCredentials("abcdefgh", "OPQRSTUVWXYZ0123456789+/")


@pytest.mark.requirement("ice:X02")
@pytest.mark.parametrize(
    ("ufrag", "password"),
    [
        pytest.param("abc", "p" * 22, id="ufrag-3"),
        pytest.param("u" * 257, "p" * 22, id="ufrag-257"),
        pytest.param("abcd", "p" * 21, id="password-21"),
        pytest.param("abcd", "p" * 257, id="password-257"),
        pytest.param("ab d", "p" * 22, id="ufrag-space"),
        pytest.param("abcd", "p" * 21 + "=", id="password-equals"),
        pytest.param("abcé", "p" * 22, id="ufrag-not-ascii"),
    ],
)
def test_other_lengths_and_characters_are_refused(ufrag: str, password: str) -> None:
    with pytest.raises(ValueError, match="an ICE"):
        IceCredentials(ufrag, password)


@pytest.mark.requirement("ice:X02")
@pytest.mark.parametrize(("ufrag", "password"), [("a" * 4, "p" * 22), ("+/" * 128, "9" * 256)])
def test_the_shortest_and_the_longest_are_fine(ufrag: str, password: str) -> None:
    assert IceCredentials(ufrag, password).ufrag == ufrag


def test_the_password_does_not_show() -> None:
    assert "secret" not in repr(IceCredentials("abcd", "secret" * 4))


@pytest.mark.parametrize(
    "settings",
    [{"components": ()}, {"components": (0,)}, {"components": (257,)}],
)
def test_a_stream_has_1_to_256_components(settings: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="components"):
        IceConfig(components=settings["components"])


@pytest.mark.parametrize("pacing_ms", [4, 1001])
def test_ta_is_bounded(pacing_ms: int) -> None:
    with pytest.raises(ValueError, match="Ta"):
        IceConfig(pacing_ms=pacing_ms)


def test_a_checklist_holds_a_pair() -> None:
    with pytest.raises(ValueError, match="max_pairs"):
        IceConfig(max_pairs=0)
