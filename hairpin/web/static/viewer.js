// One viewing: asks the server for a presigned URL and ICE servers, offers to receive, plays.
// No secret key reaches this page: whoever may load it may view, for as long as the URL lives.

import { SignalingChannel } from "./signaling.js";

const ANSWER_PATIENCE_MS = 8000;

// No browser says why a WebSocket's handshake was refused, but the server knows whether there was a place.
async function fullChannel() {
  const response = await fetch("api/status", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return null;
  const { connected, limit } = (await response.json()).viewers;
  return connected < limit ? null : new Error(`the channel is full: ${connected} of ${limit} viewers are here`);
}

export class Viewer {
  // Calls onState(state, text) and onTrack(stream). policy is RTCPeerConnection's iceTransportPolicy.
  constructor({ policy, onState, onTrack }) {
    this.policy = policy;
    this.onState = onState;
    this.onTrack = onTrack;
    this.early = [];
    this.closed = false;
  }

  async start() {
    this.onState("connecting", "connecting");
    const response = await fetch("api/viewer", { cache: "no-store" });
    if (!response.ok) throw new Error("the server does not hand out a viewer's address");
    const { url, iceServers } = await response.json();
    if (this.closed) return;

    this.peer = new RTCPeerConnection({
      iceServers,
      iceTransportPolicy: this.policy,
      bundlePolicy: "max-bundle",
    });
    this.peer.addTransceiver("video", { direction: "recvonly" });
    this.peer.addTransceiver("audio", { direction: "recvonly" });
    const stream = new MediaStream();
    this.peer.addEventListener("track", ({ track }) => {
      stream.addTrack(track);
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
    this.patience = setTimeout(() => this.onState("waiting", "waiting for the master"), ANSWER_PATIENCE_MS);
  }

  async accept(description) {
    clearTimeout(this.patience);
    if (this.closed || this.peer.signalingState !== "have-local-offer") return;
    try {
      await this.peer.setRemoteDescription(description);
      for (const candidate of this.early.splice(0)) await this.addCandidate(candidate);
    } catch (error) {
      this.onState("failed", `the master's answer is not usable: ${error.message}`);
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
    if (state === "connected") this.onState("playing", "playing");
    if (state === "disconnected") this.onState("connecting", "no packets for a moment");
    if (state === "failed") this.onState("failed", "the connection is lost");
  }

  followSignaling(reason) {
    // Media goes on without signaling; before it came, there is nothing to wait for.
    if (!this.closed && this.peer?.connectionState !== "connected") {
      this.onState("failed", reason || "the signaling service closed the connection");
    }
  }

  close() {
    this.closed = true;
    clearTimeout(this.patience);
    this.channel?.close();
    this.peer?.close();
  }
}
