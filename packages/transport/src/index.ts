export { TransportError, type TransportErrorCode } from "./errors.js";
export { BUFFER_BYTES_MAX, COPY_BYTES_MAX, FRAME_BYTES_MAX, UNPROVEN_FRAME_BYTES_MAX } from "./limits.js";
export type { InMemoryTransportOptions } from "./memory-endpoint.js";
export {
  type Adversary,
  type FaultCounts,
  type ForgedFrame,
  type NetworkFaults,
  NO_FAULTS,
  type WireFrame,
} from "./memory-faults.js";
export {
  DELIVERIES_PER_ADVANCE_MAX,
  type InMemoryNetwork,
  type InMemoryNetworkOptions,
  inMemoryNetwork,
} from "./memory-network.js";
export type {
  AcceptState,
  CloseReason,
  DialState,
  DropCounts,
  Frame,
  FrameHandler,
  FrameRefusal,
  LinkEvent,
  LinkObserver,
  LinkState,
  Transport,
} from "./transport.js";
