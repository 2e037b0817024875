// What getStats says, boiled down to the figures the page shows.

export class Figures {
  constructor() {
    this.before = null;
  }

  // One reading; rates are over the time since the reading before, null on the first.
  async read(peer) {
    const reports = await peer.getStats();
    const all = [...reports.values()];
    const video = all.find((r) => r.type === "inbound-rtp" && r.kind === "video");
    const audio = all.find((r) => r.type === "inbound-rtp" && r.kind === "audio");
    const transport = all.find((r) => r.type === "transport");
    const pair = transport && reports.get(transport.selectedCandidatePairId);
    const now = {
      time: performance.now(),
      bytes: (video?.bytesReceived ?? 0) + (audio?.bytesReceived ?? 0),
      frames: video?.framesDecoded ?? 0,
      lost: (video?.packetsLost ?? 0) + (audio?.packetsLost ?? 0),
    };
    const before = this.before;
    this.before = now;
    const seconds = before ? (now.time - before.time) / 1000 : null;
    const rate = (key) => (seconds ? Math.max(0, now[key] - before[key]) / seconds : null);
    return {
      frames: now.frames,
      roundTripMs: pair?.currentRoundTripTime != null ? pair.currentRoundTripTime * 1000 : null,
      kilobits: seconds ? (rate("bytes") * 8) / 1000 : null,
      framesPerSecond: rate("frames"),
      lost: now.lost,
      pair: pair ? describePair(reports.get(pair.localCandidateId), reports.get(pair.remoteCandidateId)) : null,
      video: describeCodec(reports.get(video?.codecId), video),
      audio: describeCodec(reports.get(audio?.codecId)),
    };
  }
}

function describePair(local, remote) {
  const side = (c) => (c ? c.candidateType + (c.relayProtocol ? `/${c.relayProtocol}` : "") : "?");
  return `${side(local)} – ${side(remote)}`;
}

function describeCodec(codec, inbound) {
  if (!codec) return null;
  const name = codec.mimeType.split("/")[1];
  return inbound?.frameWidth ? `${name} ${inbound.frameWidth}×${inbound.frameHeight}` : name;
}
