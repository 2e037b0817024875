// The page: one viewer at a time, its figures twice a second, and a new one when it fails.

import { Figures } from "./figures.js";
import { Patience } from "./patience.js";
import { Plot } from "./plot.js";
import { Viewer, invite } from "./viewer.js";

const READ_MS = 500;
const RETRY_MS = [300, 600, 1000, 1500]; // the last repeats
const WAIT_MS = 20_000; // a service forgets an offer that no master took, after a minute by default

const $ = (id) => document.getElementById(id);
const video = $("video");
const sound = $("sound");

const plots = {
  kilobits: new Plot($("plots"), { title: "Bit rate", format: (v) => `${Math.round(v)} kbit/s`, floor: 100 }),
  framesPerSecond: new Plot($("plots"), { title: "Frames per second", format: (v) => v.toFixed(1), floor: 10 }),
  roundTripMs: new Plot($("plots"), { title: "Round trip", format: (v) => `${v.toFixed(v < 10 ? 1 : 0)} ms`, floor: 5 }),
  lost: new Plot($("plots"), { title: "Packets lost", format: (v) => String(v), floor: 5 }),
};

const patience = new Patience();
let viewer = null;
let figures = null;
let retry = null;
let retries = 0;
let beginning = 0;

window.peer = () => viewer?.peer; // for the console, and for tests

// Replaces the viewer once the server has invited a new one: until then the one before may recover.
async function begin() {
  clearTimeout(retry);
  const mine = ++beginning;
  const invitation = await invite().catch((error) => {
    if (mine === beginning) show("failed", error.message);
  });
  if (!invitation || mine !== beginning) return;
  clearTimeout(retry);
  viewer?.close();
  view(invitation);
}

function view(invitation) {
  figures = new Figures();
  $("first-picture").textContent = "–";
  const started = performance.now();
  video.requestVideoFrameCallback?.(() => {
    $("first-picture").textContent = `${Math.round(performance.now() - started)} ms`;
  });
  const policy = document.querySelector("input[name=policy]:checked").value;
  const mine = (viewer = new Viewer({
    policy,
    patience,
    onState: (state, text) => mine === viewer && show(state, text),
    onTrack: (stream) => {
      video.srcObject = stream;
      sound.hidden = false;
    },
  }));
  mine.start(invitation).catch((error) => mine === viewer && show("failed", error.message));
}

function show(state, text) {
  if (state !== "connecting") clearTimeout(retry);
  if (state === "playing") {
    retries = 0;
    beginning++; // it recovered: what had begun is not needed any more
  }
  if (state === "failed") retry = setTimeout(begin, RETRY_MS[Math.min(retries++, RETRY_MS.length - 1)]);
  if (state === "waiting") retry = setTimeout(begin, WAIT_MS);
  const notice = $("notice");
  if (state === "connecting" && !notice.hidden) return; // what went wrong stays until it is right
  $("status").dataset.state = state;
  $("status-text").textContent = text;
  notice.hidden = state !== "failed" && state !== "waiting";
  notice.textContent = state === "failed" ? `${text[0].toUpperCase()}${text.slice(1)}. Trying again.` : "No master is streaming yet.";
}

function beginWithAnotherPolicy() {
  viewer?.close();
  Object.values(plots).forEach((plot) => plot.clear());
  begin();
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
  input.addEventListener("change", beginWithAnotherPolicy);
}

window.addEventListener("pagehide", () => viewer?.close());
setInterval(readFigures, READ_MS);
setInterval(readStatus, 2000);
readStatus();
begin();
