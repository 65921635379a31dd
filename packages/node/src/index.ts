/** Entry point `@sealane/node`: a whole node as a process runs it. */
export {
  type App,
  defineApp,
  type EndpointReply,
  type EndpointRequest,
  type HistoryHandler,
  type KeyHistory,
  keyHistory,
  type NodeEvent,
  type ReadHandler,
  RequestError,
  recordsApp,
  type Voting,
  type WriteEndpoint,
} from "./core/index.js";
export { NodeError, type NodeErrorCode } from "./host/errors.js";
export { makeDirectory } from "./host/make-directory.js";
export type { RunningNode } from "./host/running-node.js";
export { holdsNode, type ListenOptions, type MemberOptions, type NodeOptions, startNode } from "./host/start-node.js";
