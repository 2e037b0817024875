"""What the service's answers look like on the wire."""

from __future__ import annotations

import asyncio
import email.utils
import json
import re
import time

import aiohttp
import pytest
from aiohttp import web

from signaling import sign_headers
from signaling.aio import ChannelHub, ServiceSettings, SqliteStore, make_application
from signaling.aio.http import MAX_BODY_BYTES, tellable_address
from signaling.control import OPERATION_PATHS

from .service import ISSUER, KEY, REGION, running_service

CREATE = b'{"ChannelName":"demo"}'


class Pieces(asyncio.Protocol):
    """Collects what arrives, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/createSignalingChannel", CREATE, b"200", id="success"),
        pytest.param("/createSignalingChannel", b"{}", b"400", id="refusal"),
        pytest.param("/none", b"{}", b"404", id="unknown-operation"),
    ],
)
async def test_an_answer_arrives_in_one_piece_with_its_length(
    path: str, body: bytes, status: bytes
) -> None:
    async with running_service() as service:
        url = service.url + path
        headers = sign_headers("POST", url, body, key=KEY, region=REGION, now=time.time())
        headers |= {"content-length": str(len(body)), "connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        loop = asyncio.get_running_loop()
        host, port = url.removeprefix("http://").split("/")[0].split(":")
        transport, pieces = await loop.create_connection(Pieces, host, int(port))
        transport.write(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        await pieces.closed
        transport.close()

    (answer,) = pieces.pieces
    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == status
    assert b"Content-Length: %d\r\n" % len(content) in head + b"\r\n"
    assert b"chunked" not in head
    assert json.loads(content)


async def test_an_answer_has_a_date_and_a_request_id_of_its_own() -> None:
    async with running_service() as service:
        _, first, _ = await service.request("POST", "/listSignalingChannels")
        _, second, _ = await service.request("POST", "/describeSignalingChannel")

    moment = email.utils.parsedate_to_datetime(first["Date"]).timestamp()
    assert abs(moment - time.time()) < 60
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first["x-amzn-RequestId"])
    assert first["x-amzn-RequestId"] != second["x-amzn-RequestId"]
    assert first["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        pytest.param("POST", "/createStream", b"{}", 404, "UnknownOperationException", id="path"),
        pytest.param(
            "POST",
            "/v1/send-alexa-offer-to-master",
            b"{}",
            404,
            "UnknownOperationException",
            id="alexa",
        ),
        pytest.param("POST", "/", b"{}", 404, "UnknownOperationException", id="root"),
        pytest.param("GET", "/none", b"", 404, "UnknownOperationException", id="get-nothing"),
        pytest.param(
            "PUT", "/createSignalingChannel", CREATE, 405, "MethodNotAllowedException", id="put"
        ),
        pytest.param("POST", "/master", b"{}", 405, "MethodNotAllowedException", id="post-master"),
        pytest.param("GET", "/master", b"", 400, "InvalidArgumentException", id="no-websocket"),
        pytest.param(
            "POST", "/createSignalingChannel", b"{", 400, "SerializationException", id="json"
        ),
        pytest.param(
            "POST", "/createSignalingChannel", b"{}", 400, "InvalidArgumentException", id="member"
        ),
        pytest.param(
            "POST",
            "/createSignalingChannel",
            b" " * (MAX_BODY_BYTES + 1),
            413,
            "RequestEntityTooLargeException",
            id="too-large",
        ),
    ],
)
async def test_a_refusal_has_its_name_in_a_header_and_a_sentence_in_the_body(
    method: str, path: str, body: bytes, status: int, error: str
) -> None:
    async with running_service() as service:
        got, headers, answer = await service.request(method, path, body)

    assert (got, headers["x-amzn-ErrorType"]) == (status, error)
    assert list(json.loads(answer)) == ["Message"]
    assert headers["Access-Control-Allow-Origin"] == "*"


async def test_the_largest_legal_request_is_not_too_large() -> None:
    tags = [{"Key": f"{n:02}" + "😀" * 126, "Value": "😀" * 256} for n in range(50)]
    body = json.dumps({"ChannelName": "n" * 256, "Tags": tags}).encode()
    async with running_service() as service:
        status, headers, _ = await service.request("POST", "/createSignalingChannel", body)

    assert len(body) > 200_000
    assert (status, headers["x-amzn-ErrorType"]) == (400, "InvalidArgumentException")


@pytest.mark.parametrize("path", [*OPERATION_PATHS])
async def test_an_operation_without_a_signature_is_forbidden(path: str) -> None:
    async with (
        running_service() as service,
        aiohttp.ClientSession() as session,
        session.post(service.url + path, json={}) as response,
    ):
        assert response.status == 403
        assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


async def test_a_clock_that_is_wrong_is_told_in_the_words_the_c_sdk_looks_for() -> None:
    async with running_service() as service, aiohttp.ClientSession() as session:
        found = []
        for skew in (-400, 400):
            url, now = service.url + "/listSignalingChannels", time.time() + skew
            headers = sign_headers("POST", url, b"{}", key=KEY, region=REGION, now=now)
            async with session.post(url, data=b"{}", headers=headers) as response:
                found.append((response.status, (await response.json())["Message"]))

    assert [status for status, _ in found] == [403, 403]
    assert "Signature expired" in found[0][1]
    assert "Signature not yet current" in found[1][1]


async def test_a_preflight_names_every_header_that_the_sdk_sends() -> None:
    asked = "amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,x-amz-date"
    async with (
        running_service() as service,
        aiohttp.ClientSession() as session,
        session.options(
            service.url + "/describeSignalingChannel",
            headers={
                "Origin": "http://page.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": asked,
            },
        ) as response,
    ):
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Access-Control-Allow-Methods"] == "POST"
        allowed = response.headers["Access-Control-Allow-Headers"].split(", ")

    assert set(asked.split(",")) <= set(allowed)
    assert {"x-amz-content-sha256", "x-amz-user-agent", "x-amz-security-token"} <= set(allowed)


async def test_a_preflight_of_an_unknown_operation_is_refused() -> None:
    async with (
        running_service() as service,
        aiohttp.ClientSession() as session,
        session.options(service.url + "/none") as response,
    ):
        assert response.status == 404


async def test_what_a_page_may_read_of_an_answer_is_exposed() -> None:
    async with running_service() as service:
        _, headers, _ = await service.request("POST", "/listSignalingChannels")

    exposed = headers["Access-Control-Expose-Headers"].split(", ")
    assert {"x-amzn-RequestId", "x-amzn-ErrorType", "Date"} <= set(exposed)


async def test_other_handlers_of_the_application_are_left_alone() -> None:
    async def secret(request: web.Request) -> web.Response:
        raise web.HTTPForbidden

    async with SqliteStore.open(":memory:") as store:
        app = make_application(
            ServiceSettings("http://127.0.0.1:1"), store=store, hub=ChannelHub(), issuer=ISSUER
        )
        app.router.add_get("/page", secret)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/page") as response,
        ):
            status, headers = response.status, response.headers
        await runner.cleanup()

    assert status == 403
    assert "Access-Control-Allow-Origin" not in headers
    assert "x-amzn-RequestId" not in headers


async def test_a_signature_for_the_public_name_holds_behind_a_front_that_changes_the_host() -> None:
    public, path = "https://kvs.example", "/listSignalingChannels"
    headers = sign_headers("POST", public + path, b"{}", key=KEY, region=REGION, now=time.time())
    del headers["host"]
    async with (
        running_service(public_url=public) as service,
        aiohttp.ClientSession() as session,
        session.post(service.local_url + path, data=b"{}", headers=headers) as response,
    ):
        assert response.status == 200


@pytest.mark.parametrize(
    ("name", "address"),
    [
        pytest.param(("192.0.2.1", 80), "192.0.2.1:80", id="ipv4"),
        pytest.param(("2001:db8::1", 80, 0, 0), "[2001:db8::1]:80", id="ipv6"),
        pytest.param(("::ffff:192.0.2.1", 80, 0, 0), "192.0.2.1:80", id="ipv4-as-ipv6"),
        pytest.param(("169.254.0.1", 80), "169.254.0.1:80", id="one-link-of-ipv4"),
        pytest.param(("fe80::1", 80, 0, 2), "None", id="one-link"),
        pytest.param(("fe80::1%eth0", 80, 0, 2), "None", id="one-link-and-its-interface"),
        pytest.param("/run/hairpin.sock", "None", id="a-path"),
        pytest.param(None, "None", id="gone"),
    ],
)
def test_a_client_is_told_of_the_address_that_it_reached_if_it_can_use_it(
    name: object, address: str
) -> None:
    assert str(tellable_address(name)) == address
