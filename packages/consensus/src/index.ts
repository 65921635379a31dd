export type {
  Configuration,
  Durability,
  Entry,
  HardState,
  Input,
  Output,
  OwnRetirement,
  ReplicaOptions,
  RestoredState,
  RetirementPhase,
  Role,
  TxStatus,
  ViewStart,
} from "./interface.js";
export { Replica } from "./replica.js";
