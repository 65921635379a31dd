/** This node's certificate: the one it came with, until its service has committed another for it. */
import { pemDecode, pemEncode } from "@sealane/crypto";
import type { Reader } from "@sealane/kv";
import type { NodeId } from "@sealane/wire";
import { endorsedCertificates } from "./tables.js";

export class OwnCertificate {
  readonly #id: NodeId;
  #der: Uint8Array;
  #pem: string;

  /** @param der - Endorsed by the service. */
  constructor(id: NodeId, der: Uint8Array) {
    this.#id = id;
    this.#der = der;
    this.#pem = pemEncode("CERTIFICATE", der);
  }

  get der(): Uint8Array {
    return this.#der;
  }

  get pem(): string {
    return this.#pem;
  }

  /** Takes over what the records say; a node that has none there yet keeps what it has. @returns whether it is another one now. */
  follow(committed: Reader): boolean {
    const pem = committed.map(endorsedCertificates).get(this.#id);
    if (pem === undefined || pem === this.#pem) return false;
    this.#pem = pem;
    this.#der = pemDecode("CERTIFICATE", pem);
    return true;
  }
}
