/** What `node.json` says of a node, and its writing: one after the other, each the newest there is to say. */
import { pemEncode } from "@sealane/crypto";
import type { NodeId } from "@sealane/wire";
import type { DataDir, NodeFile } from "./data-dir.js";
import type { Membership } from "./membership.js";

export interface Whereabouts extends Pick<NodeFile, "nodeAddress" | "apiAddress" | "node" | "api"> {
  readonly nodeId: NodeId;
}

export class NodeRecord {
  readonly whereabouts: Whereabouts;
  readonly #dataDir: DataDir;
  #last: Promise<void> = Promise.resolve();

  constructor(dataDir: DataDir, whereabouts: Whereabouts) {
    this.#dataDir = dataDir;
    this.whereabouts = whereabouts;
  }

  /** Settles when everything noted so far is written, or could not be. */
  get settled(): Promise<void> {
    return this.#last;
  }

  /** Of a node that is not trusted yet. */
  noteJoining(serviceCertificate: string, way: Pick<NodeFile, "joinUrl" | "fromBeginning">): Promise<void> {
    return this.#write(() => ({ serviceCertificate, ...way, nodes: [] }));
  }

  /** @param standing - Asked when it is written: a removed node stays removed. @returns when it is durable. */
  noteMember(
    membership: Membership,
    standing: () => "member" | "recovering" | "retired" = () => "member",
  ): Promise<void> {
    const { service, certificate, nodes, formerServices = [] } = membership;
    return this.#write(() => {
      const now = standing();
      return {
        serviceCertificate: pemEncode("CERTIFICATE", service.certificate),
        certificate: pemEncode("CERTIFICATE", certificate),
        ...(formerServices.length === 0
          ? {}
          : { formerServices: formerServices.map((der) => pemEncode("CERTIFICATE", der)) }),
        ...(now === "member" ? {} : { [now]: true as const }),
        nodes: [...nodes],
      };
    });
  }

  #write(describe: () => Omit<NodeFile, keyof Whereabouts | "version">): Promise<void> {
    const written = this.#last.then(() => this.#dataDir.writeNode({ version: 1, ...this.whereabouts, ...describe() }));
    this.#last = written.catch(() => {}); // whoever asked is told
    return written;
  }
}
