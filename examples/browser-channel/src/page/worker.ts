/** A worker that is one node: draws its own key, and holds one end of the channel over the port it is given. */
import { nobleSuite as suite } from "@sealane/crypto";
import { ChannelEnd } from "../channel-end.js";
import type { FromWorker, ToWorker } from "./worker-messages.js";

const keyPair = suite.generateKeyPair("P-384");
let end: ChannelEnd | undefined;

self.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "ping") end?.ping(data.text);
  else end = start(data);
});
report({ type: "key", spki: keyPair.publicKey.spki });

function start({ endorsement, port, initiates }: Extract<ToWorker, { type: "start" }>): ChannelEnd {
  const started = new ChannelEnd({
    suite,
    keyPair,
    endorsement,
    send: (frame) => port.postMessage(frame, [frame.buffer]),
    observe: (event) => report({ type: "event", event }),
  });
  port.addEventListener("message", ({ data }: MessageEvent<Uint8Array>) => started.receive(data));
  port.start();
  if (initiates) started.initiate();
  return started;
}

function report(message: FromWorker): void {
  self.postMessage(message);
}
