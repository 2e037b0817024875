// The viewer's side of a signaling channel: one WebSocket, opened with a presigned URL.
// Payloads are base64 of JSON, as every KVS client sends them.

const encode = (value) => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))));
const decode = (text) => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(text), (c) => c.charCodeAt(0))));

export class SignalingChannel {
  // Calls onAnswer(description), onCandidate(candidate) and, once it was open, onClose(reason).
  constructor(url, { onAnswer, onCandidate, onClose }) {
    this.socket = new WebSocket(url);
    this.opened = new Promise((resolve, reject) => {
      this.socket.addEventListener("open", () => {
        this.socket.addEventListener("close", (event) => onClose(event.reason));
        resolve();
      });
      this.socket.addEventListener("error", () => reject(new Error("the signaling service does not answer")));
    });
    this.opened.catch(() => {}); // whoever awaits it hears of it
    this.socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.messageType === "SDP_ANSWER") onAnswer(decode(message.messagePayload));
      if (message.messageType === "ICE_CANDIDATE") onCandidate(decode(message.messagePayload));
    });
  }

  sendOffer(description) {
    this.send("SDP_OFFER", { type: description.type, sdp: description.sdp });
  }

  sendCandidate(candidate) {
    this.send("ICE_CANDIDATE", candidate.toJSON());
  }

  send(action, payload) {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ action, messagePayload: encode(payload) }));
    }
  }

  close() {
    this.socket.close();
  }
}
