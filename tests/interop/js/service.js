// What a KVS client does before it opens its WebSocket, with Amazon's SDK: in pages and under Node.

import * as AWS from "./aws.js";

const SERVICE_REFUSALS = { maxAttempts: 1 }; // a refusal shall be seen as it came, not retried

export class Service {
  constructor({ endpoint, region, accessKeyId, secretAccessKey }) {
    this.region = region;
    this.credentials = { accessKeyId, secretAccessKey };
    this.common = { region, credentials: this.credentials, ...SERVICE_REFUSALS };
    this.control = new AWS.KinesisVideoClient({ ...this.common, endpoint });
  }

  // One operation of the control plane by its name, such as "CreateSignalingChannel".
  async call(operation, input) {
    const { $metadata, ...answer } = await this.control.send(new AWS[`${operation}Command`](input));
    return answer;
  }

  // As call(), but a refusal is an answer too: what the SDK made of it.
  async refused(operation, input) {
    try {
      return { answer: await this.call(operation, input) };
    } catch (error) {
      return { name: error.name, message: error.message, status: error.$metadata?.httpStatusCode };
    }
  }

  // The channel's ARN, the WebSocket endpoint of a role, and ICE servers as browsers take them.
  async locate(channelName, role, clientId) {
    const { ChannelInfo } = await this.call("DescribeSignalingChannel", { ChannelName: channelName });
    const { ResourceEndpointList } = await this.call("GetSignalingChannelEndpoint", {
      ChannelARN: ChannelInfo.ChannelARN,
      SingleMasterChannelEndpointConfiguration: { Protocols: ["WSS", "HTTPS"], Role: role },
    });
    const endpoints = Object.fromEntries(
      ResourceEndpointList.map(({ Protocol, ResourceEndpoint }) => [Protocol, ResourceEndpoint]),
    );
    const signaling = new AWS.KinesisVideoSignalingClient({ ...this.common, endpoint: endpoints.HTTPS });
    const { IceServerList } = await signaling.send(
      new AWS.GetIceServerConfigCommand({ ChannelARN: ChannelInfo.ChannelARN, ClientId: clientId }),
    );
    return {
      channelARN: ChannelInfo.ChannelARN,
      channelEndpoint: endpoints.WSS,
      iceServers: IceServerList.map(({ Uris, Username, Password }) => ({
        urls: Uris,
        username: Username,
        credential: Password,
      })),
    };
  }

  // A SignalingClient of the WebRTC SDK (kvs). Its own signer takes wss:// alone; where the
  // service speaks ws://, one of ours stands before it, which the SDK's README provides for.
  signalingClient(kvs, { channelARN, channelEndpoint }, role, clientId) {
    return new kvs.SignalingClient({
      channelARN,
      channelEndpoint,
      role,
      clientId,
      region: this.region,
      credentials: this.credentials,
      requestSigner: channelEndpoint.startsWith("ws://") ? this.plainSigner(kvs) : undefined,
    });
  }

  plainSigner(kvs) {
    const signer = new kvs.SigV4RequestSigner(this.region, this.credentials);
    return {
      getSignedURL: async (endpoint, parameters, date) => {
        const secure = endpoint.replace("ws://", "wss://");
        const url = await signer.getSignedURL(secure, parameters, date);
        return url.replace("wss://", "ws://"); // the scheme is no part of what is signed
      },
    };
  }
}

// Until a signaling client is open; what it says instead is the error.
export function opened(client) {
  return new Promise((resolve, reject) => {
    client.on("open", resolve);
    client.on("error", (error) => reject(new Error(error.message || "the WebSocket failed")));
    client.on("close", () => reject(new Error("the WebSocket closed")));
    client.open();
  });
}
