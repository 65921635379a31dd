/** Where this node stands in its service: what its own log says of it, unless other nodes have said that it is out. */
import type { Replica, Role as ReplicaRole } from "@sealane/consensus";
import type { NodeId } from "@sealane/wire";
import type { Role } from "./types.js";

export class Standing {
  readonly #id: NodeId;
  readonly #replica: Pick<Replica, "role" | "activeNodes" | "retirementPhase">;
  /** Other nodes have said that this one was removed: its own log will never say so any more. */
  #wasRemoved = false;

  constructor(id: NodeId, replica: Pick<Replica, "role" | "activeNodes" | "retirementPhase">) {
    this.#id = id;
    this.#replica = replica;
  }

  /** Whether other nodes have said that it is out. Final: it says and does nothing from then on. */
  get wasRemoved(): boolean {
    return this.#wasRemoved;
  }

  get role(): Role {
    return this.#wasRemoved ? "none" : ROLES[this.#replica.role];
  }

  /** Whether this node is in a configuration that is in force. A joiner becomes one when it has caught up that far. */
  get isMember(): boolean {
    return this.#replica.activeNodes.includes(this.#id);
  }

  /** This node was removed and nothing depends on it any more (consensus spec §11.1, RetiredCommitted). Final. */
  get isRetired(): boolean {
    return this.#wasRemoved || this.#replica.retirementPhase === "retired-committed";
  }

  /** How far this node is in the service. */
  get phase(): "joining" | "active" | "retiring" | "retired" {
    if (this.isRetired) return "retired";
    if (this.#replica.retirementPhase !== undefined) return "retiring";
    return this.isMember ? "active" : "joining";
  }

  handleRemoved(): void {
    this.#wasRemoved = true;
  }
}

const ROLES = {
  none: "none",
  backup: "backup",
  "pre-vote-candidate": "candidate",
  candidate: "candidate",
  primary: "primary",
} as const satisfies Record<ReplicaRole, Role>;
