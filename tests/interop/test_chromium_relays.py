"""Chromium that may use a relay alone, over each transport, and behind a firewall for UDP."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence

import pytest
from playwright.async_api import Browser

from .browser import chromium
from .certificate import Certificate
from .conftest import need
from .namespace import Namespace, second_network
from .process import hairpin

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]

MESSAGES = 100

EXCHANGE = """async ([uris, count]) => {
  const configuration = {
    iceTransportPolicy: "relay",
    iceServers: [{ urls: uris, username: "ann", credential: "secret" }],
  };
  const [one, other] = [0, 1].map(() => new RTCPeerConnection(configuration));
  one.onicecandidate = ({ candidate }) => candidate && other.addIceCandidate(candidate);
  other.onicecandidate = ({ candidate }) => candidate && one.addIceCandidate(candidate);
  other.ondatachannel = ({ channel }) => {
    channel.onmessage = ({ data }) => channel.send(data);
  };
  const channel = one.createDataChannel("echo");
  await one.setLocalDescription();
  await other.setRemoteDescription(one.localDescription);
  await other.setLocalDescription();
  await one.setRemoteDescription(other.localDescription);
  await new Promise((resolve) => (channel.onopen = resolve));
  let echoed = 0;
  const done = new Promise((resolve) => {
    channel.onmessage = ({ data }) => {
      echoed += data.byteLength === 1000;
      if (echoed === count) resolve();
    };
  });
  for (let sent = 0; sent < count; sent++) channel.send(new Uint8Array(1000));
  await done;
  const stats = await one.getStats();
  const transport = [...stats.values()].find((each) => each.type === "transport");
  const pair = stats.get(transport.selectedCandidatePairId);
  const local = stats.get(pair.localCandidateId);
  one.close();
  other.close();
  return { echoed, type: local.candidateType, protocol: local.relayProtocol };
}"""


@dataclasses.dataclass(frozen=True)
class Exchanged:
    """What went through the relay, and how the browser reached that."""

    echoed: int
    type: str
    protocol: str


async def exchange(browser: Browser, uris: Sequence[str]) -> Exchanged:
    """Two peer connections of one page send each other messages."""
    page = await browser.new_page()
    return Exchanged(**await page.evaluate(EXCHANGE, [list(uris), MESSAGES]))


@pytest.mark.requirement("stun-turn:TURN-GEN-01")
@pytest.mark.parametrize(
    ("transport", "uri"),
    [
        pytest.param("udp", "turn:{}?transport=udp", id="turn-udp"),
        pytest.param("tcp", "turn:{}?transport=tcp", id="turn-tcp"),
        pytest.param("tls", "turns:{}?transport=tcp", id="turns-tcp"),
    ],
)
async def test_chromium_relays_over(transport: str, uri: str, tmp_path: pathlib.Path) -> None:
    made = Certificate.generate(tmp_path)
    secured = ("--tls-cert", str(made.certificate), "--tls-key", str(made.key))
    async with (
        hairpin(
            *("relay", "--listen", f"{transport}://127.0.0.1:0", "--user", "ann:secret"),
            *(secured if transport == "tls" else ()),
        ) as relay,
        chromium("--ignore-certificate-errors") as browser,
    ):
        address = relay.address.partition("://")[2]

        exchanged = await exchange(browser, [uri.format(address)])

    assert exchanged == Exchanged(MESSAGES, "relay", transport)


@pytest.fixture
def network() -> Iterator[Namespace]:
    """Out of which nothing gets but TCP to port 443."""
    with second_network() as found:
        found.firewall(
            "-P OUTPUT DROP",
            "-A OUTPUT -o lo -j ACCEPT",
            "-A OUTPUT -p tcp --dport 443 -j ACCEPT",
        )
        yield found


async def test_chromium_gets_through_where_nothing_gets_out_but_tcp_443(
    network: Namespace, tmp_path: pathlib.Path
) -> None:
    made = Certificate.generate(tmp_path)
    listen = [f"udp://{network.gateway}:3478", f"tcp://{network.gateway}:3478"]
    listen.append(f"tls://{network.gateway}:443")
    inside = network.wrap(need("chromium"), tmp_path)
    async with (
        hairpin(
            *("relay", "--user", "ann:secret"),
            *(word for each in listen for word in ("--listen", each)),
            *("--tls-cert", str(made.certificate), "--tls-key", str(made.key)),
        ),
        chromium("--ignore-certificate-errors", executable=inside) as browser,
    ):
        exchanged = await exchange(
            browser,
            [
                f"turn:{network.gateway}:3478?transport=udp",
                f"turn:{network.gateway}:3478?transport=tcp",
                f"turns:{network.gateway}:443?transport=tcp",
            ],
        )

    assert exchanged == Exchanged(MESSAGES, "relay", "tls")
