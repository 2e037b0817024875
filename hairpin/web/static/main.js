// The page: one viewer at a time, its figures twice a second, and a new try when it fails.

import { Figures } from "./figures.js";
import { Plot } from "./plot.js";
import { Viewer } from "./viewer.js";

const READ_MS = 500;
const RETRY_MS = 2000;

const $ = (id) => document.getElementById(id);
const video = $("video");
const sound = $("sound");

const plots = {
  kilobits: new Plot($("plots"), { title: "Bit rate", format: (v) => `${Math.round(v)} kbit/s`, floor: 100 }),
  framesPerSecond: new Plot($("plots"), { title: "Frames per second", format: (v) => v.toFixed(1), floor: 10 }),
  roundTripMs: new Plot($("plots"), { title: "Round trip", format: (v) => `${v.toFixed(v < 10 ? 1 : 0)} ms`, floor: 5 }),
  lost: new Plot($("plots"), { title: "Packets lost", format: (v) => String(v), floor: 5 }),
};

let viewer = null;
let figures = null;
let retry = null;

function start() {
  clearTimeout(retry);
  viewer?.close();
  figures = new Figures();
  Object.values(plots).forEach((plot) => plot.clear());
  $("first-picture").textContent = "–";
  const started = performance.now();
  video.requestVideoFrameCallback?.(() => {
    $("first-picture").textContent = `${Math.round(performance.now() - started)} ms`;
  });

  const policy = document.querySelector("input[name=policy]:checked").value;
  const mine = (viewer = new Viewer({
    policy,
    onState: (state, text) => mine === viewer && show(state, text),
    onTrack: (stream) => {
      video.srcObject = stream;
      sound.hidden = false;
    },
  }));
  window.peer = () => viewer.peer; // for the console, and for tests
  mine.start().catch((error) => mine === viewer && show("failed", error.message));
}

function show(state, text) {
  $("status").dataset.state = state;
  $("status-text").textContent = text;
  const notice = $("notice");
  notice.hidden = state !== "failed" && state !== "waiting";
  notice.textContent = state === "failed" ? `${text[0].toUpperCase()}${text.slice(1)}. Trying again.` : "No master is streaming yet.";
  clearTimeout(retry);
  if (state === "failed") retry = setTimeout(start, RETRY_MS);
}

async function readFigures() {
  const peer = viewer?.peer;
  if (!peer || peer.connectionState !== "connected") return;
  const reading = await figures.read(peer);
  for (const [name, plot] of Object.entries(plots)) plot.add(reading[name]);
  $("pair").textContent = reading.pair ?? "–";
  $("video-codec").textContent = reading.video ?? "–";
  $("audio-codec").textContent = reading.audio ?? "–";
}

async function readStatus() {
  const response = await fetch("api/status", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return;
  const { source, relay, viewers } = await response.json();
  $("source").textContent = source;
  const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  $("viewers").textContent = `${viewers.connected} of ${viewers.limit}`;
  $("relay").textContent = relay.allocations ? `${count(relay.allocations, "allocation")}, ${count(relay.packets, "packet")}` : "unused";
}

sound.addEventListener("click", () => {
  video.muted = !video.muted;
  sound.setAttribute("aria-pressed", String(!video.muted));
  sound.textContent = video.muted ? "Turn sound on" : "Turn sound off";
});

const wanted = new URLSearchParams(location.search).get("policy");
for (const input of document.querySelectorAll("input[name=policy]")) {
  input.checked = input.value === (wanted === "relay" ? "relay" : "all");
  input.addEventListener("change", start);
}

window.addEventListener("pagehide", () => viewer?.close());
setInterval(readFigures, READ_MS);
setInterval(readStatus, 2000);
readStatus();
start();
