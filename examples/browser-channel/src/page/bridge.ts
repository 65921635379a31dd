/** This page as a node, and the Node process that served it as the other: endorsed over HTTP, then a channel over a WebSocket. */
import { nobleSuite as suite } from "@sealane/crypto";
import { base64 } from "@sealane/wire";
import {
  type BridgeCommand,
  type BridgeReport,
  CHANNEL_PATH,
  ENDORSEMENTS_PATH,
  type EndorsementRequest,
  parseEndorsement,
} from "../bridge-messages.js";
import { ChannelEnd } from "../channel-end.js";
import { type Endorsement, nodeIdOf } from "../identity.js";
import type { Panel } from "./panel.js";

const SELF = 0;
const PROCESS = 1;

export async function runBridge(panel: Panel): Promise<void> {
  const keyPair = suite.generateKeyPair("P-384");
  const endorsement = await askForEndorsement({ publicKey: base64(keyPair.publicKey.spki) });
  const id = nodeIdOf(suite, keyPair);
  panel.identify(SELF, id);
  panel.identify(PROCESS, endorsement.peer);

  const socket = new WebSocket(`ws://${location.host}${CHANNEL_PATH}?node=${id}`);
  socket.binaryType = "arraybuffer";
  const end = new ChannelEnd({
    suite,
    keyPair,
    endorsement,
    send: (frame) => socket.send(frame),
    observe: (event) => panel.observe(SELF, event),
  });
  socket.addEventListener("open", () => end.initiate());
  socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer | string>) => {
    if (typeof data !== "string") end.receive(new Uint8Array(data));
    // What the process says about itself is only shown; it is our own server, and the policy of the page lets in no other.
    else panel.observe(PROCESS, JSON.parse(data) as BridgeReport);
  });
  socket.addEventListener("close", () => {
    end.close();
    panel.fail(new Error("The process has closed the connection. Reload the page to start again."));
  });
  panel.onPing((from, text) => {
    if (from === SELF) end.ping(text);
    else socket.send(JSON.stringify({ ping: text } satisfies BridgeCommand));
  });
}

async function askForEndorsement(request: EndorsementRequest): Promise<Endorsement> {
  const response = await fetch(ENDORSEMENTS_PATH, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Error(`The process did not endorse this page (${response.status}).`);
  return parseEndorsement(await response.json());
}
