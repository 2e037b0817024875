// One viewing: from an invitation, which is a presigned URL and ICE servers, to its end.
// No secret key reaches this page: whoever may load it may view, for as long as the URL lives.

import { SignalingChannel } from "./signaling.js";

const ANSWER_PATIENCE_MS = 5000;
const CONNECT_PATIENCE_MS = 12_000;
const SERVER_PATIENCE_MS = 4000;
const WATCH_MS = 250;

// Each viewing needs an invitation of its own: they are good for some minutes, and for one viewer.
export async function invite() {
  const options = { cache: "no-store", signal: AbortSignal.timeout(SERVER_PATIENCE_MS) };
  const response = await fetch("api/viewer", options).catch(() => null);
  if (!response) throw new Error("the server does not answer");
  if (!response.ok) throw new Error("the server does not hand out a viewer's address");
  return response.json();
}

// No browser says why a WebSocket's handshake was refused, but the server knows whether there was a place.
async function fullChannel() {
  const response = await fetch("api/status", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return null;
  const { connected, limit } = (await response.json()).viewers;
  return connected < limit ? null : new Error(`the channel is full: ${connected} of ${limit} viewers are here`);
}

export class Viewer {
  // Calls onState(state, text) and onTrack(stream). A state that is "failed" or "waiting" may be
  // followed by another; whoever has enough closes the viewer. policy is RTCPeerConnection's
  // iceTransportPolicy, patience a Patience that outlives this viewer.
  constructor({ policy, patience, onState, onTrack }) {
    this.policy = policy;
    this.patience = patience;
    this.onState = onState;
    this.onTrack = onTrack;
    this.early = [];
    this.closed = false;
  }

  async start({ url, iceServers }) {
    this.onState("connecting", "connecting");
    this.peer = new RTCPeerConnection({
      iceServers,
      iceTransportPolicy: this.policy,
      bundlePolicy: "max-bundle",
    });
    this.peer.addTransceiver("video", { direction: "recvonly" });
    this.peer.addTransceiver("audio", { direction: "recvonly" });
    const stream = new MediaStream();
    this.peer.addEventListener("track", ({ track, receiver }) => {
      stream.addTrack(track);
      receiver.transport.onstatechange = () => this.followTransport(receiver.transport.state);
      this.onTrack(stream);
    });
    this.peer.addEventListener("connectionstatechange", () => this.followConnection());

    this.channel = new SignalingChannel(url, {
      onAnswer: (description) => this.accept(description),
      onCandidate: (candidate) => this.addCandidate(candidate),
      onClose: (reason) => this.followSignaling(reason),
    });
    await this.channel.opened.catch(async (error) => {
      throw (await fullChannel()) ?? error;
    });
    this.peer.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.candidate) this.channel.sendCandidate(candidate);
    });
    // Candidates surface in later tasks than this one, so the offer goes out before them.
    await this.peer.setLocalDescription();
    this.channel.sendOffer(this.peer.localDescription);
    this.expect(ANSWER_PATIENCE_MS, "waiting", "waiting for the master");
  }

  async accept(description) {
    if (this.closed || this.peer.signalingState !== "have-local-offer") return;
    this.expect(CONNECT_PATIENCE_MS, "failed", "no path to the master was found");
    this.patience.meet(description.sdp);
    try {
      await this.peer.setRemoteDescription(description);
      for (const candidate of this.early.splice(0)) await this.addCandidate(candidate);
    } catch (error) {
      this.tell("failed", `the master's answer is not usable: ${error.message}`);
    }
  }

  async addCandidate(candidate) {
    if (this.closed) return;
    if (!this.peer.remoteDescription) {
      this.early.push(candidate);
      return;
    }
    await this.peer.addIceCandidate(candidate).catch((error) => console.warn("candidate refused", error));
  }

  followConnection() {
    const state = this.peer.connectionState;
    if (state === "connected") {
      clearTimeout(this.expecting);
      this.tell("playing", "playing");
      this.watching ??= setInterval(() => this.watch(), WATCH_MS);
    }
    if (state === "disconnected") this.tell("connecting", "no packets for a moment");
    if (state === "failed") this.tell("failed", "the connection is lost");
  }

  // A master that ends says so, on the way that media takes.
  followTransport(state) {
    if (state === "closed") this.tell("failed", "the master has left");
  }

  followSignaling(reason) {
    // Media goes on without signaling; before it came, there is nothing to wait for.
    if (this.peer?.connectionState !== "connected") {
      this.tell("failed", reason || "the signaling service closed the connection");
    }
  }

  // Media that has stopped is told of once, and once more when it goes on.
  async watch() {
    const received = await this.received();
    const now = performance.now();
    if (received !== this.seen) {
      this.seen = received;
      this.seenAt = now;
      if (this.stopped) this.tell("playing", "playing");
      this.stopped = false;
    } else if (!this.stopped && now - this.seenAt > this.patience.milliseconds) {
      this.stopped = true;
      this.patience.lose();
      this.tell("failed", "the stream has stopped");
    }
  }

  async received() {
    let bytes = 0;
    for (const report of (await this.peer.getStats()).values()) {
      if (report.type === "transport") bytes += report.bytesReceived;
    }
    return bytes;
  }

  expect(milliseconds, state, text) {
    clearTimeout(this.expecting);
    this.expecting = setTimeout(() => this.tell(state, text), milliseconds);
  }

  tell(state, text) {
    if (!this.closed) this.onState(state, text);
  }

  close() {
    this.closed = true;
    clearTimeout(this.expecting);
    clearInterval(this.watching);
    this.channel?.close();
    this.peer?.close();
  }
}
