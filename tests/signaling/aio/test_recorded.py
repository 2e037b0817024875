"""The requests of official clients, played again in their order.

They were recorded against a stand-in that knew no more than is documented. Each is sent
again byte for byte at the time it was made, and is answered with the same status, error
and shape. Versions and tokens are ours: a request that names theirs is signed again.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
import re

import aiohttp
import pytest
import yarl

from signaling import AccessKey, sign_headers

from .service import REGION, RunningService, running_service

RECORDED = pathlib.Path(__file__).parent.parent / "kvs_requests"
KEY_ID = "AKIATHROWAWAYEXAMPLE"
ACCOUNT = "123456789012"
SECRET = "throwaway+Secret/Key0000000000000000EXAMP"


@dataclasses.dataclass(frozen=True, slots=True)
class Recording:
    """One request and what the stand-in answered."""

    name: str
    operation: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: str
    status: int
    response: object
    signed_at: float | None

    @classmethod
    def load(cls, path: pathlib.Path) -> Recording:
        found = json.loads(path.read_text())
        stamp = (found["sigv4"] or {}).get("timestamp")
        return cls(
            path.stem,
            found["op"],
            found["method"],
            found["raw_target"],
            tuple((name, value) for name, value in found["headers"]),
            found["body"] or "",
            found["status"],
            found["response"],
            None if stamp is None else moment(stamp),
        )


def moment(stamp: str) -> float:
    parsed = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ")
    return parsed.replace(tzinfo=datetime.UTC).timestamp()


def recordings(label: str) -> list[Recording]:
    return [Recording.load(path) for path in sorted(RECORDED.glob(f"{label}-*.json"))]


class Replay:
    """Sends recordings to a service whose clock shows what theirs did."""

    def __init__(self) -> None:
        self.now = 0.0
        self._ours: dict[str, str] = {}

    async def play(
        self, recording: Recording, service: RunningService, session: aiohttp.ClientSession
    ) -> tuple[int, str, object]:
        """Status, error name and body of the answer."""
        self.now = self._time_of(recording)
        headers, body = dict(recording.headers), recording.body
        changed = self._with_our_names(body)
        if changed != body:
            headers, body = self._signed_again(recording, service, changed), changed
        headers.pop("Accept-Encoding", None)
        async with session.request(
            recording.method,
            yarl.URL(service.local_url + recording.target, encoded=True),
            data=body.encode() if recording.method == "POST" else None,
            headers=headers,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept"),
        ) as response:
            answer = await response.read()
            parsed = json.loads(answer) if answer else None
            self._learn(recording.response, parsed)
            return response.status, response.headers.get("x-amzn-ErrorType", ""), parsed

    def _time_of(self, recording: Recording) -> float:
        """When it was made: a creation to the millisecond, which its ARN has to have."""
        arn = re.search(r"channel/[^/]+/(\d+)", json.dumps(recording.response))
        if recording.operation == "createSignalingChannel" and arn is not None:
            return int(arn[1]) / 1000 + 0.0001
        return recording.signed_at or self.now

    def _with_our_names(self, body: str) -> str:
        for name in ("CurrentVersion", "NextToken"):
            found = re.search(rf'"{name}": "([^"]*)"', body)
            if found is not None and found[1] in self._ours:
                body = body.replace(found[0], f'"{name}": "{self._ours[found[1]]}"')
        return body

    def _signed_again(
        self, recording: Recording, service: RunningService, body: str
    ) -> dict[str, str]:
        url = service.local_url + recording.target
        key = AccessKey(KEY_ID, SECRET)
        return sign_headers("POST", url, body.encode(), key=key, region=REGION, now=self.now)

    def _learn(self, theirs: object, ours: object) -> None:
        """Which of our versions and tokens stands for which of theirs."""
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for name in theirs.keys() & ours.keys():
                self._learn(theirs[name], ours[name])
                if name in ("Version", "NextToken"):
                    self._ours[theirs[name]] = ours[name]


FREE = {"Version", "CreationTime", "ResourceEndpoint", "NextToken"}
ICE = {"Uris", "Username", "Password"}


def shape(value: object, *, name: str = "") -> object:
    """What must be the same: all but the values that are any service's own choice."""
    if name == "Message":
        return "a sentence"
    if name in FREE | ICE:
        return type(value).__name__
    if isinstance(value, dict):
        return {key: shape(inner, name=key) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return value


EXPECTED_ERRORS = {
    "boto3-005-createSignalingChannel": "ResourceInUseException",
    "boto3-028-updateSignalingChannel": "VersionMismatchException",
    "boto3-031-updateSignalingChannel": "VersionMismatchException",
    "boto3-038-TagResource": "TagsPerResourceExceededLimitException",
    "boto3-048-listSignalingChannels": "InvalidSignatureException",
    "boto3-049-listSignalingChannels": "UnrecognizedClientException",
    "boto3-050-listSignalingChannels": "MissingAuthenticationTokenException",
    "boto3-051-deleteSignalingChannel": "VersionMismatchException",
}
BY_STATUS = {400: "InvalidArgumentException", 404: "ResourceNotFoundException"}


def expected_error(recording: Recording) -> str:
    return EXPECTED_ERRORS.get(recording.name, BY_STATUS.get(recording.status, ""))


def is_rest(recording: Recording) -> bool:
    return recording.method in ("POST", "OPTIONS")


@pytest.mark.parametrize("label", ["boto3", "awscli", "node", "chromium", "csdk-cm_jsv"])
async def test_what_official_clients_sent_is_answered_alike(label: str) -> None:
    replay = Replay()
    key = AccessKey(KEY_ID, SECRET)
    played = [recording for recording in recordings(label) if is_rest(recording)]
    found, expected = [], []
    async with (
        running_service(keys={KEY_ID: key}, account=ACCOUNT, clock=lambda: replay.now) as service,
        aiohttp.ClientSession() as session,
    ):
        for recording in played:
            status, error, answer = await replay.play(recording, service, session)
            found.append((recording.name, status, error, shape(answer)))
            expected.append(
                (
                    recording.name,
                    recording.status,
                    expected_error(recording),
                    shape(recording.response),
                )
            )

    assert len(played) > 5
    assert found == expected
