export type {
  Configuration,
  Durability,
  Entry,
  HardState,
  Input,
  Output,
  OwnRetirement,
  ReadRefusal,
  ReplicaOptions,
  RestoredState,
  RetirementPhase,
  Role,
  TransferOutcome,
  TxStatus,
  ViewStart,
} from "./interface.js";
export { type PeerState, Replica } from "./replica.js";
export { type ReplayOptions, replayLog } from "./restore.js";
