from __future__ import annotations

import pytest

from signaling import Role, ServiceError
from signaling.control import Endpoints, Reached
from transport import TransportAddress

from .service import Caller

WSS_MASTER = {"Protocol": "WSS", "ResourceEndpoint": "wss://kvs.example:8443/master"}
WSS_VIEWER = {"Protocol": "WSS", "ResourceEndpoint": "wss://kvs.example:8443/viewer"}
HTTPS = {"Protocol": "HTTPS", "ResourceEndpoint": "https://kvs.example:8443"}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        pytest.param(
            {"Protocols": ["WSS", "HTTPS"], "Role": "MASTER"}, [WSS_MASTER, HTTPS], id="master"
        ),
        pytest.param(
            {"Protocols": ["WSS", "HTTPS"], "Role": "VIEWER"}, [WSS_VIEWER, HTTPS], id="viewer"
        ),
        pytest.param({"Protocols": ["HTTPS"], "Role": "MASTER"}, [HTTPS], id="only-https"),
        pytest.param(
            {"Protocols": ["HTTPS", "WSS", "WSS"], "Role": "VIEWER"},
            [HTTPS, WSS_VIEWER],
            id="twice",
        ),
        pytest.param({"Role": "MASTER"}, [WSS_MASTER, HTTPS], id="no-protocols"),
        pytest.param({"Protocols": ["WSS"]}, [WSS_VIEWER], id="no-role"),
        pytest.param(None, [WSS_VIEWER, HTTPS], id="nothing"),
    ],
)
def test_each_role_and_protocol_has_its_endpoint(
    configuration: dict[str, object] | None, expected: list[dict[str, str]]
) -> None:
    caller = Caller()
    arn = caller.create("demo")

    answer = caller.call(
        "/getSignalingChannelEndpoint",
        ChannelARN=arn,
        SingleMasterChannelEndpointConfiguration=configuration,
    )

    assert answer == {"ResourceEndpointList": expected}


@pytest.mark.parametrize(
    ("address", "host"),
    [
        pytest.param("10.0.0.7", "10.0.0.7:8443", id="ipv4"),
        pytest.param("2001:db8::7", "[2001:db8::7]:8443", id="ipv6"),
    ],
)
def test_a_client_that_came_to_an_address_is_sent_back_there(address: str, host: str) -> None:
    caller = Caller()
    arn = caller.create("demo")
    reached = TransportAddress.parse(address, 8443)
    caller.reached = Reached(Endpoints("https://kvs.example").at(reached), reached.ip)

    answer = caller.call("/getSignalingChannelEndpoint", ChannelARN=arn)

    assert answer == {
        "ResourceEndpointList": [
            {"Protocol": "WSS", "ResourceEndpoint": f"wss://{host}/viewer"},
            {"Protocol": "HTTPS", "ResourceEndpoint": f"https://{host}"},
        ]
    }


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param({"Protocols": ["WSS", "HTTPS", "WEBRTC"]}, id="webrtc"),
        pytest.param({"Protocols": []}, id="no-protocol"),
        pytest.param({"Protocols": ["WSS"] * 6}, id="six-protocols"),
        pytest.param({"Protocols": ["WS"]}, id="unknown-protocol"),
        pytest.param({"Role": "master"}, id="role-in-lower-case"),
    ],
)
def test_a_malformed_configuration_is_an_invalid_argument(configuration: dict[str, object]) -> None:
    caller = Caller()
    arn = caller.create("demo")

    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        caller.call(
            "/getSignalingChannelEndpoint",
            ChannelARN=arn,
            SingleMasterChannelEndpointConfiguration=configuration,
        )


def test_a_channel_that_is_not_there_has_no_endpoints() -> None:
    caller = Caller()
    arn = caller.create("demo").replace("demo", "none")

    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        caller.call("/getSignalingChannelEndpoint", ChannelARN=arn)


@pytest.mark.parametrize(
    ("public_url", "wss", "https"),
    [
        pytest.param("https://a.b", "wss://a.b/master", "https://a.b", id="tls"),
        pytest.param("https://a.b:443/", "wss://a.b/master", "https://a.b", id="default-port"),
        pytest.param("http://a.b:80", "ws://a.b/master", "http://a.b", id="plain-default-port"),
        pytest.param("http://a.b:443", "ws://a.b:443/master", "http://a.b:443", id="odd-port"),
        pytest.param("http://[::1]:80", "ws://[::1]/master", "http://[::1]", id="ipv6"),
        pytest.param(
            "https://[::1]:8443", "wss://[::1]:8443/master", "https://[::1]:8443", id="ipv6-port"
        ),
    ],
)
def test_endpoints_have_the_public_scheme_and_no_default_port(
    public_url: str, wss: str, https: str
) -> None:
    endpoints = Endpoints(public_url)

    assert (endpoints.wss(Role.MASTER), endpoints.https) == (wss, https)


@pytest.mark.parametrize(
    "public_url",
    ["", "localhost:8080", "ws://a", "http://", "http://a/b", "http://a?b", "http://u@a"],
)
def test_a_public_url_that_is_more_or_less_than_scheme_and_host_is_refused(public_url: str) -> None:
    with pytest.raises(ValueError, match="public URL"):
        Endpoints(public_url)
