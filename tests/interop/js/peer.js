// A master or a viewer in a page, as the WebRTC SDK's README builds them.

import { opened, Service } from "./service.js";

const kvs = window.KVSWebRTC;
const { MASTER, VIEWER } = kvs.Role;
const peers = new Map(); // of a master by client ID; a viewer's one is under its own ID

window.Service = Service;
window.peer = () => [...peers.values()].at(-1);

// Play what arrives in the page's one video element.
function show(pc) {
  const stream = new MediaStream();
  const video = document.getElementById("video");
  pc.addEventListener("track", ({ track }) => {
    stream.addTrack(track);
    video.srcObject = stream;
  });
}

function connection(clientId, iceServers, { policy = "all" }) {
  const pc = new RTCPeerConnection({ iceServers, iceTransportPolicy: policy });
  pc.addEventListener("connectionstatechange", () => console.log(clientId, pc.connectionState));
  peers.set(clientId, pc);
  show(pc);
  return pc;
}

// Offers to receive, once the WebSocket is open; dataChannel: as the SDK's sample page does.
async function offer(pc, signaling, { dataChannel = false } = {}) {
  pc.addEventListener("icecandidate", ({ candidate }) => candidate && signaling.sendIceCandidate(candidate));
  signaling.on("sdpAnswer", (answer) => pc.setRemoteDescription(answer));
  signaling.on("iceCandidate", (candidate) => pc.addIceCandidate(candidate));
  if (dataChannel) pc.createDataChannel("kvsDataChannel");
  pc.addTransceiver("video", { direction: "recvonly" });
  pc.addTransceiver("audio", { direction: "recvonly" });
  await opened(signaling);
  await pc.setLocalDescription(await pc.createOffer());
  signaling.sendSdpOffer(pc.localDescription);
}

window.view = async (settings, channelName, clientId, options = {}) => {
  const service = new Service(settings);
  const place = await service.locate(channelName, VIEWER, clientId);
  const pc = connection(clientId, place.iceServers, options);
  await offer(pc, service.signalingClient(kvs, place, VIEWER, clientId), options);
};

// With a URL that somebody else signed: this page holds no key.
window.viewSigned = async (url, iceServers) => {
  const parameters = new URL(url).searchParams;
  const clientId = parameters.get("X-Amz-ClientId");
  const signaling = new kvs.SignalingClient({
    channelARN: parameters.get("X-Amz-ChannelARN"),
    channelEndpoint: url.split("?")[0],
    role: VIEWER,
    clientId,
    region: "us-west-2",
    requestSigner: { getSignedURL: async () => url },
  });
  await offer(connection(clientId, iceServers, {}), signaling);
};

// Sends the browser's camera and microphone to every viewer that offers.
window.master = async (settings, channelName, options = {}) => {
  const service = new Service(settings);
  const place = await service.locate(channelName, MASTER, "master");
  const media = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 }, audio: true });
  const signaling = service.signalingClient(kvs, place, MASTER);
  signaling.on("sdpOffer", async (description, clientId) => {
    const pc = connection(clientId, place.iceServers, options);
    pc.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate) signaling.sendIceCandidate(candidate, clientId);
    });
    for (const track of media.getTracks()) pc.addTrack(track, media);
    await pc.setRemoteDescription(description);
    await pc.setLocalDescription(await pc.createAnswer());
    signaling.sendSdpAnswer(pc.localDescription, clientId);
  });
  signaling.on("iceCandidate", (candidate, clientId) => peers.get(clientId)?.addIceCandidate(candidate));
  await opened(signaling);
};

// What happens with other settings than those that find the channel.
window.connect = async (finders, settings, channelName) => {
  const place = await new Service(finders).locate(channelName, VIEWER, "viewer-1");
  const service = new Service(settings);
  const signaling = service.signalingClient(kvs, place, VIEWER, "viewer-1");
  const socket = await opened(signaling).then(() => "open", (error) => error.message);
  const { name } = await service.refused("DescribeSignalingChannel", { ChannelName: channelName });
  return name ? { socket, operation: name } : { socket };
};

window.ready = true;
