from __future__ import annotations

import ipaddress
from typing import cast

import pytest

from signaling import ServiceError
from signaling.control import Endpoints, Reached, ServiceQuotas
from turn.credentials import Credential, CredentialVerifier, RelaySecret

from .service import ISSUER, NEAR_IP, NEAR_RELAY, NOW, RELAY, Caller

PATH = "/v1/get-ice-server-config"


@pytest.mark.parametrize(
    ("members", "id"),
    [
        pytest.param({"ClientId": "v1", "Service": "TURN"}, "demo/v1", id="client"),
        pytest.param({"Username": "alice"}, "demo/alice", id="username"),
        pytest.param({"ClientId": "v1", "Username": "alice"}, "demo/v1", id="both"),
        pytest.param({}, "demo/", id="nobody"),
    ],
)
def test_credentials_are_for_a_client_of_the_channel_and_hold_for_their_ttl(
    members: dict[str, object], id: str
) -> None:
    caller = Caller()
    arn = caller.create("demo")

    answer = caller.call(PATH, ChannelARN=arn, **members)

    username = f"{int(NOW) + 300}:{id}"
    password = ISSUER.secret.password(username)
    assert answer == {
        "IceServerList": [{"Uris": [RELAY], "Username": username, "Password": password, "Ttl": 300}]
    }
    assert list(answer["IceServerList"][0]) == ["Password", "Ttl", "Uris", "Username"]  # type: ignore[index]  # it equals the list above


def test_the_longest_names_make_a_username_that_a_client_has_room_for() -> None:
    caller = Caller()
    arn = caller.create("n" * 256)
    found = set()

    for client in ("a" * 256, "b" * 256):
        answer = caller.call(PATH, ChannelARN=arn, ClientId=client)
        found.add(answer["IceServerList"][0]["Username"])  # type: ignore[index]  # a list of one

    assert len(found) == 2
    assert all(len(username) <= 256 for username in found)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"ClientId": ""}, id="empty-client"),
        pytest.param({"ClientId": "a" * 257}, id="long-client"),
        pytest.param({"ClientId": "a b"}, id="client-with-space"),
        pytest.param({"Username": "a/b"}, id="username"),
        pytest.param({"Service": "STUN"}, id="service"),
        pytest.param({"Service": ""}, id="empty-service"),
        pytest.param({"ChannelARN": None}, id="no-arn"),
    ],
)
def test_a_malformed_request_is_an_invalid_argument(members: dict[str, object]) -> None:
    caller = Caller()
    arn = caller.create("demo")

    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        caller.call(PATH, **{"ChannelARN": arn, **members})


def test_a_channel_that_is_not_there_has_no_ice_servers() -> None:
    caller = Caller()
    arn = caller.create("demo").replace("demo", "none")

    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        caller.call(PATH, ChannelARN=arn)


def test_a_channel_that_asks_too_often_is_refused_and_others_are_not() -> None:
    caller = Caller(ServiceQuotas(ice_configs=1.0, burst_seconds=2.0))
    arn, other = caller.create("demo"), caller.create("other")
    for _ in range(2):
        caller.call(PATH, ChannelARN=arn)

    with pytest.raises(ServiceError, match="ClientLimitExceededException"):
        caller.call(PATH, ChannelARN=arn)

    assert caller.call(PATH, ChannelARN=other)
    caller.now += 1
    assert caller.call(PATH, ChannelARN=arn)


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        pytest.param(str(NEAR_IP), NEAR_RELAY, id="where-the-relay-is-too"),
        pytest.param("10.0.0.8", RELAY, id="where-it-is-not"),
    ],
)
def test_a_client_is_told_of_the_relay_at_the_address_that_it_reached(
    address: str, uri: str
) -> None:
    caller = Caller()
    arn = caller.create("demo")
    caller.reached = Reached(Endpoints("http://10.0.0.7"), ipaddress.ip_address(address))

    (entry,) = cast(list[dict[str, object]], caller.call(PATH, ChannelARN=arn)["IceServerList"])

    assert entry["Uris"] == [uri]


def test_the_relay_that_has_the_secret_knows_the_credentials() -> None:
    grant = ISSUER.grant("demo", "v1", NOW)

    found = CredentialVerifier({}, [RelaySecret(b"secret")]).lookup(grant.username, NOW)

    assert found == Credential((grant.password,), "demo/v1", int(NOW) + 300)
