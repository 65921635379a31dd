/** Two workers, and the page as the service that vouches for both. The page hands out certificates and sees neither private key nor frame. */
import { createServiceIdentity, nobleSuite as suite } from "@sealane/crypto";
import { aroundNow, endorseNode, nodeIdOf } from "../identity.js";
import type { Panel } from "./panel.js";
import type { FromWorker, ToWorker } from "./worker-messages.js";

export async function runWorkers(panel: Panel): Promise<void> {
  const service = createServiceIdentity(suite, { name: "Service in the page", ...aroundNow() });
  const workers = [startWorker(panel, 0), startWorker(panel, 1)] as const;
  const keys = await Promise.all(workers.map((worker) => worker.spki));
  const nodes = keys.map((spki) => ({
    certificate: endorseNode(suite, service, spki),
    id: nodeIdOf(suite, { publicKey: suite.importPublicKey(spki) }),
  }));
  const { port1, port2 } = new MessageChannel();
  // The one that initiates is told last, though the order does not matter: a port keeps what comes before it is listened to.
  for (const [self, peer, port] of [[1, 0, port2] as const, [0, 1, port1] as const]) {
    const [own, other] = [nodes[self], nodes[peer]];
    if (own === undefined || other === undefined) throw new Error("there are two workers");
    const { certificate } = own;
    const endorsement = { certificate, serviceCertificate: service.certificate, peer: other.id };
    panel.identify(self, own.id);
    workers[self].post({ type: "start", endorsement, port, initiates: self === 0 }, [port]);
  }
  panel.onPing((from, text) => workers[from].post({ type: "ping", text }));
}

interface StartedWorker {
  /** The public key it draws first of all. */
  readonly spki: Promise<Uint8Array>;
  post(message: ToWorker, transfer?: Transferable[]): void;
}

function startWorker(panel: Panel, end: 0 | 1): StartedWorker {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const spki = new Promise<Uint8Array>((resolve, reject) => {
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "key") resolve(data.spki);
      else panel.observe(end, data.event);
    });
    worker.addEventListener("error", (event) => {
      const error = new Error(event.message);
      panel.fail(error);
      reject(error);
    });
  });
  return { spki, post: (message, transfer = []) => worker.postMessage(message, transfer) };
}
