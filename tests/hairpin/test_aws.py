"""The AWS_* variables."""

from __future__ import annotations

import pathlib

import pytest

from hairpin.aws import DEFAULT_ENDPOINT, read_access
from hairpin.errors import HairpinError

from .certificates import write_certificate

KEY = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}


def test_a_key_is_all_that_must_be_given() -> None:
    access = read_access(None, None, KEY)

    assert (access.endpoint, access.region) == (DEFAULT_ENDPOINT, "us-west-2")
    assert (access.key.id, access.key.secret, access.key.session_token) == ("AKID", "secret", None)
    assert access.ca_bundle is None


def test_the_command_line_wins_over_the_environment() -> None:
    environment = KEY | {"AWS_ENDPOINT_URL": "http://one", "AWS_REGION": "eu-west-1"}

    access = read_access("http://two", "eu-west-2", environment)

    assert (access.endpoint, access.region) == ("http://two", "eu-west-2")


@pytest.mark.parametrize(
    ("endpoint", "is_on_loopback"),
    [
        ("http://127.0.0.1:8080", True),
        ("https://[::1]", True),
        ("http://localhost:8080", True),
        ("http://10.0.0.7:8080", False),
        ("https://kvs.example.org", False),
    ],
)
def test_a_service_at_a_loopback_address_is_known_to_be_on_this_machine(
    endpoint: str, *, is_on_loopback: bool
) -> None:
    assert read_access(endpoint, None, KEY).is_on_loopback is is_on_loopback


@pytest.mark.parametrize(
    ("variables", "endpoint", "region"),
    [
        ({"AWS_DEFAULT_REGION": "eu-1"}, DEFAULT_ENDPOINT, "eu-1"),
        ({"AWS_REGION": "eu-2", "AWS_DEFAULT_REGION": "eu-1"}, DEFAULT_ENDPOINT, "eu-2"),
        ({"AWS_ENDPOINT_URL": "http://one/"}, "http://one", "us-west-2"),
        (
            {"AWS_ENDPOINT_URL": "http://one", "AWS_ENDPOINT_URL_KINESIS_VIDEO": "http://two"},
            "http://two",
            "us-west-2",
        ),
    ],
)
def test_the_nearer_variable_wins(variables: dict[str, str], endpoint: str, region: str) -> None:
    access = read_access(None, None, KEY | variables)

    assert (access.endpoint, access.region) == (endpoint, region)


def test_a_session_token_and_a_ca_bundle_are_taken(tmp_path: pathlib.Path) -> None:
    certificate, _ = write_certificate(tmp_path)
    variables = {"AWS_SESSION_TOKEN": "token", "AWS_CA_BUNDLE": str(certificate)}

    access = read_access(None, None, KEY | variables)

    assert access.key.session_token == "token"
    assert access.ca_bundle == str(certificate)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID is not set"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY is not set"),
        ({"AWS_ENDPOINT_URL": "nowhere"}, "AWS_ENDPOINT_URL: 'nowhere' is not a URL"),
        ({"AWS_CA_BUNDLE": "/none"}, "AWS_CA_BUNDLE /none: No such file"),
    ],
)
def test_what_is_missing_or_wrong_is_named(variables: dict[str, str], message: str) -> None:
    with pytest.raises(HairpinError, match=message):
        read_access(None, None, KEY | variables)
