// Under Node: a master and a viewer of the WebRTC SDK exchange what peers exchange, without media.
// Argument: the service's settings as JSON. Prints what each side heard, as JSON.

import kvs from "amazon-kinesis-video-streams-webrtc";
import WebSocket from "ws";

import { opened, Service } from "./service.js";

globalThis.WebSocket = WebSocket; // which the SDK looks for first

const CHANNEL = "node";
const VIEWER_ID = "viewer-1";
const { MASTER, VIEWER } = kvs.Role;

const service = new Service(JSON.parse(process.argv[2]));
await service.call("CreateSignalingChannel", { ChannelName: CHANNEL });
const places = {
  [MASTER]: await service.locate(CHANNEL, MASTER, "master"),
  [VIEWER]: await service.locate(CHANNEL, VIEWER, VIEWER_ID),
};
const master = service.signalingClient(kvs, places[MASTER], MASTER);
const viewer = service.signalingClient(kvs, places[VIEWER], VIEWER, VIEWER_ID);
const heard = { master: [], viewer: [] };
const note = (side, kind) => (content, clientId) => heard[side].push({ kind, content, clientId });
const status = new Promise((resolve) => master.on("statusResponse", resolve));
const answeredCandidate = new Promise((resolve) => viewer.on("iceCandidate", resolve));

for (const [side, client] of Object.entries({ master, viewer })) {
  for (const kind of ["sdpOffer", "sdpAnswer", "iceCandidate"]) client.on(kind, note(side, kind));
}
master.on("sdpOffer", (_, clientId) => {
  master.sendIceCandidate({ candidate: "candidate:2", sdpMid: "0", sdpMLineIndex: 0 }, clientId);
  master.sendSdpAnswer({ type: "answer", sdp: "v=0\r\ns=answer\r\n" }, clientId, "answer-1");
});

// The viewer comes first: what it sends waits for the master.
await opened(viewer);
viewer.sendSdpOffer({ type: "offer", sdp: "v=0\r\ns=offer\r\n" });
viewer.sendIceCandidate({ candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0 });
await opened(master);
await answeredCandidate;
master.sendSdpAnswer({ type: "answer", sdp: "v=0\r\n" }, undefined, "to-nobody");
heard.status = await status;

for (const client of [viewer, master]) {
  const closed = new Promise((resolve) => client.on("close", resolve));
  client.close();
  await closed;
}
console.log(JSON.stringify(heard));
