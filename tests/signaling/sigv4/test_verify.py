"""Verification against requests that official clients were recorded to send."""

from __future__ import annotations

import datetime
import json
import pathlib

import pytest

from signaling import AccessKey, ReceivedRequest, ServiceError, presign_url, sign_headers, verify

RECORDED = pathlib.Path(__file__).parent.parent / "kvs_requests"
REGION = "us-west-2"
KEY = AccessKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC).timestamp()
ARN = "arn:aws:kinesisvideo:us-west-2:123456789012:channel/demo/1600000000000"


def recorded(verdict: bool) -> list[pathlib.Path]:
    return [
        path
        for path in sorted(RECORDED.glob("*.json"))
        if (json.loads(path.read_text()).get("sigv4") or {}).get("ok") is verdict
    ]


def load(path: pathlib.Path) -> tuple[ReceivedRequest, AccessKey, float]:
    found = json.loads(path.read_text())
    request = ReceivedRequest(
        found["method"],
        found["raw_target"],
        [(name, value) for name, value in found["headers"]],
        found["body"].encode(),
    )
    stamp = found["sigv4"].get("timestamp", "20261120T085847Z")
    moment = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    key = AccessKey("AKIATHROWAWAYEXAMPLE", found["secret_key"])
    return request, key, moment.timestamp()


def only(key: AccessKey) -> dict[str, AccessKey]:
    return {key.id: key}


@pytest.mark.parametrize("path", recorded(True), ids=lambda path: path.stem)
def test_what_an_official_client_signed_is_accepted(path: pathlib.Path) -> None:
    request, key, now = load(path)

    assert verify(request, keys=only(key).get, region=REGION, now=now + 1) == key.id


@pytest.mark.parametrize("path", recorded(True)[::10], ids=lambda path: path.stem)
def test_another_secret_is_refused(path: pathlib.Path) -> None:
    request, key, now = load(path)
    wrong = AccessKey(key.id, "another")

    with pytest.raises(ServiceError, match="InvalidSignatureException"):
        verify(request, keys=only(wrong).get, region=REGION, now=now)


@pytest.mark.parametrize("path", recorded(False), ids=lambda path: path.stem)
def test_what_the_recorded_service_refused_is_refused(path: pathlib.Path) -> None:
    request, key, now = load(path)

    with pytest.raises(ServiceError):
        verify(request, keys=only(key).get, region=REGION, now=now)


def presigned(expires: int = 299) -> str:
    return presign_url(
        "wss://localhost:8443/m/demo",
        {"X-Amz-ChannelARN": ARN, "X-Amz-ClientId": "viewer-1"},
        key=KEY,
        region=REGION,
        now=NOW,
        expires=expires,
    )


def arriving(url: str, host: str = "localhost:8443") -> ReceivedRequest:
    return ReceivedRequest("GET", url[len("wss://localhost:8443") :], [("Host", host)], b"")


def test_a_presigned_url_carries_the_signature_of_the_javascript_sdk() -> None:
    assert (
        "X-Amz-Signature=99ebfc6fc026945a58ac17642ee593917eba76e433754da864796e6eaf4fa2ca"
        in presigned()
    )


def test_a_presigned_url_is_accepted_until_it_expires() -> None:
    request = arriving(presigned())

    assert verify(request, keys=only(KEY).get, region=REGION, now=NOW + 299) == KEY.id
    with pytest.raises(ServiceError, match="Signature expired"):
        verify(request, keys=only(KEY).get, region=REGION, now=NOW + 299.5)


def test_a_date_in_the_future_is_not_yet_current() -> None:
    with pytest.raises(ServiceError, match="Signature not yet current"):
        verify(arriving(presigned()), keys=only(KEY).get, region=REGION, now=NOW - 301)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(("viewer-1", "viewer-2"), "InvalidSignature", id="client-id-changed"),
        pytest.param(("&X-Amz-Date", "&X-Amz-Extra=1&X-Amz-Date"), "InvalidSignature", id="added"),
        pytest.param(("AKIDEXAMPLE", "AKIDSOMEONE"), "UnrecognizedClient", id="unknown-key"),
        pytest.param(("us-west-2%2Fkin", "us-east-1%2Fkin"), "valid region", id="region"),
        pytest.param(("%2Fkinesisvideo%2F", "%2Fs3%2F"), "correct service", id="service"),
        pytest.param(("Expires=299", "Expires=604801"), "X-Amz-Expires", id="expires-too-long"),
        pytest.param(("Expires=299", "Expires=x"), "IncompleteSignature", id="expires-no-number"),
        pytest.param(("Date=2026", "Date=26"), "IncompleteSignature", id="date"),
        pytest.param(("SignedHeaders=host", "SignedHeaders=x"), "Host must", id="host-unsigned"),
        pytest.param(("%2Faws4_request", ""), "IncompleteSignature", id="scope"),
    ],
)
def test_a_tampered_url_is_refused(change: tuple[str, str], expected: str) -> None:
    url = presigned().replace(*change)

    with pytest.raises(ServiceError, match=expected):
        verify(arriving(url), keys=only(KEY).get, region=REGION, now=NOW)


def test_behind_a_proxy_the_public_host_is_what_was_signed() -> None:
    request = arriving(presigned(), host="10.0.0.7:8080")
    with pytest.raises(ServiceError):
        verify(request, keys=only(KEY).get, region=REGION, now=NOW)

    forwarded = ReceivedRequest(
        request.method, request.target, request.headers, b"", hosts=("localhost:8443",)
    )

    assert verify(forwarded, keys=only(KEY).get, region=REGION, now=NOW) == KEY.id


def test_what_sign_headers_signs_verifies_and_a_changed_body_does_not() -> None:
    body = b'{"ChannelName": "demo"}'
    url = "http://127.0.0.1:8080/describeSignalingChannel"
    headers = sign_headers("POST", url, body, key=KEY, region=REGION, now=NOW)
    request = ReceivedRequest("POST", "/describeSignalingChannel", list(headers.items()), body)

    assert verify(request, keys=only(KEY).get, region=REGION, now=NOW + 60) == KEY.id
    changed = ReceivedRequest(request.method, request.target, request.headers, body + b" ")
    with pytest.raises(ServiceError, match="does not match"):
        verify(changed, keys=only(KEY).get, region=REGION, now=NOW)


def test_a_request_without_a_signature_says_so() -> None:
    with pytest.raises(ServiceError, match="MissingAuthenticationToken"):
        verify(
            ReceivedRequest("POST", "/x", [("Host", "h")], b""),
            keys=only(KEY).get,
            region=REGION,
            now=NOW,
        )


def test_a_secret_is_not_in_the_repr_of_a_key() -> None:
    assert KEY.secret not in repr(KEY)
