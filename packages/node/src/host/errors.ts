/** What can keep a node from starting or from going on, as its operator is told. */
import type { TransportError } from "@sealane/transport";
import type { NodeId } from "@sealane/wire";

export type NodeErrorCode =
  /** A port is taken, or the address is not this machine's. Choose another. */
  | "address-in-use"
  | "bad-address"
  /** The data directory holds a node already, or one runs in it. Resume it, or choose another directory. */
  | "data-dir-in-use"
  /** There is no node to resume. Start a new service, or join one. */
  | "data-dir-empty"
  /** A file in the data directory cannot be read or written, or is not what this node wrote. */
  | "data-dir-damaged"
  /** The service certificate is not one, or not the certificate of the service that answered. */
  | "wrong-service"
  /** The service refused the join request; the message says why. */
  | "join-refused"
  /** What a node of the service gave as its snapshot is none that the service has proven. Nothing was kept. Ask another node. */
  | "bad-snapshot"
  /** The service has a snapshot, and no node sent it to its end in time. Start again, or join without one (`from: "beginning"`). */
  | "snapshot-unavailable"
  /** The service no longer holds what is behind this node's snapshot, or no entries from the beginning. Join from a newer snapshot. */
  | "snapshot-too-old"
  /** The service has removed this node, for good: its id is used up. Start a new node in another directory. */
  | "retired"
  /** Its recovery was cut short. Recover it once more. */
  | "recovery-unfinished"
  /** The disk refused a write or an fsync. The node has stopped so as not to promise what it cannot keep. */
  | "storage-failed"
  /** The core found a fault that it must not go on with: see the cause. */
  | "fault"
  /** The caller's `AbortSignal` ended it. */
  | "aborted";

/** The node cannot start, or has stopped. The message is one sentence for an operator, without secrets. */
export class NodeError extends Error {
  override readonly name = "NodeError";
  readonly code: NodeErrorCode;

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function retiredError(id: NodeId): NodeError {
  const why = "Start a new node in another directory, and have that one join";
  return new NodeError("retired", `Node ${id} was removed from its service, and its id is used up. ${why}.`);
}

export function listenError(error: TransportError): NodeError {
  const code = error.code === "address-in-use" ? "address-in-use" : "bad-address";
  return new NodeError(code, error.message, { cause: error });
}

export function asNodeError(error: unknown): NodeError {
  return error instanceof NodeError
    ? error
    : new NodeError("fault", "The node failed; this is a bug.", { cause: error });
}
