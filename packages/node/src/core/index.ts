/** Entry point `@sealane/node/core`: a node without its sockets, files and clock. Runs wherever its crypto suite runs. */
export {
  type App,
  defineApp,
  type EndpointReply,
  type EndpointRequest,
  type HistoryHandler,
  type ReadHandler,
  type WriteEndpoint,
} from "./app.js";
export { type FaultCode, FaultError, RequestError } from "./errors.js";
export {
  endorseNode,
  type Member,
  newServiceKeys,
  nodeIdOf,
  readMember,
  type ServiceKeys,
  serviceKeys,
  validity,
} from "./identity.js";
export { type KeyHistory, keyHistory } from "./key-history.js";
export { type HardState, type LogKeys, Replay, type StartSnapshot } from "./log-state.js";
export { type FrameVerdict, NodeCore } from "./node-core.js";
export type { Replication } from "./node-state.js";
export { recordsApp } from "./records-app.js";
export type { EncryptionKey, KeptSecret } from "./rotating-secrets.js";
export { SIGNING_DEFAULTS, type SigningLimits } from "./signing-policy.js";
export type {
  ClientRequest,
  CoreConfig,
  Direction,
  Input,
  NodeEvent,
  Output,
  Role,
  Start,
  Timing,
} from "./types.js";
export type { Voting } from "./voting.js";
