"""How a viewer's page joins a stream: when it shows its first picture, and what follows."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import statistics
from collections.abc import Mapping, Sequence
from math import inf

import aiohttp
from playwright.async_api import Browser, BrowserContext, Page, Route

from .film import NUMBER_BITS, SQUARE, WIDTH
from .lossy_proxy import Address

TURN = re.compile(r"turn:(?P<host>[^:?]+):(?P<port>[0-9]+)")

WATCH = """
(() => {
  const wanted = %(codec)s;
  const marks = (window.marks = { shown: [] });
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(...settings) {
      super(...settings);
      this.addEventListener("connectionstatechange", () => {
        if (this.connectionState === "connected") marks.connected ??= performance.now();
      });
    }
    addTransceiver(kind, options) {
      const transceiver = super.addTransceiver(kind, options);
      if (wanted && kind === "video") {
        const { codecs } = RTCRtpReceiver.getCapabilities("video");
        const helpers = ["rtx", "red", "ulpfec"].map((name) => `video/${name}`);
        transceiver.setCodecPreferences(
          codecs.filter(({ mimeType }) => mimeType === wanted || helpers.includes(mimeType)));
      }
      return transceiver;
    }
  };
  const canvas = new OffscreenCanvas(%(bits)d, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const numberOf = (video) => {
    context.drawImage(video, 0, %(square)d / 4, %(width)d, %(square)d / 2, 0, 0, %(bits)d, 1);
    const { data } = context.getImageData(0, 0, %(bits)d, 1);
    let number = 0;
    for (let bit = 0; bit < %(bits)d; bit++) number = number * 2 + (data[4 * bit] > 128);
    return number;
  };
  addEventListener("DOMContentLoaded", () => {
    const video = document.getElementById("video");
    const shown = (now, frame) => {
      marks.first ??= performance.now();
      marks.shown.push([performance.timeOrigin + frame.expectedDisplayTime, numberOf(video)]);
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
  });
})()
"""

STATS = """async () => {
  const all = [...(await window.peer().getStats()).values()];
  const inbound = (kind) => all.find((r) => r.type === "inbound-rtp" && r.kind === kind);
  return { video: inbound("video"), audio: inbound("audio") };
}"""


@dataclasses.dataclass(frozen=True)
class Joined:
    """A page that plays; milliseconds from its navigation."""

    context: BrowserContext
    page: Page
    connected: float
    first_picture: float
    said: str
    """What the page itself says of its first picture."""


async def join(
    browser: Browser,
    address: str,
    *,
    codec: str = "",
    relay: Address | None = None,
    within: float = 30.0,
) -> Joined:
    """Open the page and wait for a picture.

    ``codec`` is all that the page offers then. With ``relay`` it goes through the relay
    alone, which is at that address for it.

    Raises:
        playwright.async_api.TimeoutError: none came.
    """
    context = await browser.new_context()
    page = await context.new_page()
    if relay is not None:
        await _move_relay(page, relay)
        address += "?policy=relay"
    wanted = f'"video/{codec}"' if codec else "null"
    await page.add_init_script(
        WATCH % {"codec": wanted, "bits": NUMBER_BITS, "square": SQUARE, "width": WIDTH}
    )
    await page.goto(address, wait_until="commit")
    await page.wait_for_function("() => window.marks?.first", timeout=within * 1000)
    marks = await page.evaluate("() => window.marks")
    said = await page.inner_text("#first-picture")
    return Joined(context, page, marks["connected"], marks["first"], said)


async def relay_of(address: str) -> Address:
    """Where the page at this address is told to find its relay."""
    async with aiohttp.ClientSession() as client, client.get(f"{address}api/viewer") as response:
        invitation = await response.json()
    (server,) = invitation["iceServers"]
    found = TURN.search(server["urls"][0])
    assert found is not None
    return found["host"], int(found["port"])


async def _move_relay(page: Page, relay: Address) -> None:
    """Let the server tell the page this address of the relay."""

    async def answer(route: Route) -> None:
        response = await route.fetch()
        invitation = await response.json()
        for server in invitation["iceServers"]:
            server["urls"] = [
                TURN.sub(f"turn:{relay[0]}:{relay[1]}", url) for url in server["urls"]
            ]
        await route.fulfill(json=invitation)

    await page.route("**/api/viewer", answer)


Shown = Sequence[tuple[float, int]]
"""When a picture was shown, in milliseconds since 1970, and its number."""


async def pictures_shown(joined: Joined, seconds: float) -> list[tuple[float, int]]:
    """The pictures of the next seconds."""
    before = await joined.page.evaluate("() => window.marks.shown.length")
    await asyncio.sleep(seconds)
    shown = await joined.page.evaluate(f"() => window.marks.shown.slice({before})")
    return [(at, number) for at, number in shown]


def behind(late: Shown, live: Shown) -> float:
    """How many milliseconds later the one shows the pictures that both show: the median.

    It is infinite if there are none.
    """
    shown_live = {number: at for at, number in live}
    delays = [at - shown_live[number] for at, number in late if number in shown_live]
    return statistics.median(delays) if delays else inf


@dataclasses.dataclass(frozen=True)
class Buffered:
    """What a receiver's statistics say between two readings, in milliseconds a frame."""

    jitter_buffer: float
    processing: float
    playout_apart: float
    """When the sound that is played now was captured, less when the picture was: above 0
    the picture is behind the sound."""


async def read_stats(joined: Joined) -> Mapping[str, Mapping[str, float]]:
    stats: Mapping[str, Mapping[str, float]] = await joined.page.evaluate(STATS)
    return stats


def buffered(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]
) -> Buffered:
    def grown(name: str) -> float:
        return after["video"][name] - before["video"].get(name, 0)

    decoded = max(grown("framesDecoded"), 1)
    emitted = max(grown("jitterBufferEmittedCount"), 1)
    return Buffered(
        1000 * grown("jitterBufferDelay") / emitted,
        1000 * grown("totalProcessingDelay") / decoded,
        after["audio"]["estimatedPlayoutTimestamp"] - after["video"]["estimatedPlayoutTimestamp"],
    )
