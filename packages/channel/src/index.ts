/** `@sealane/channel`: authenticated key exchange and record protection between two nodes (channel-v2, channel-v1-wire). */
export { Channel, type ChannelOptions, type ChannelStateName, type OpenedRecord } from "./channel.js";
export type { ChannelErrorCode, HandshakeErrorCode, RecordErrorCode, TimeoutCode } from "./errors.js";
export { type ChannelLimits, DEFAULT_LIMITS, FAILED_OPENS_MAX, RECORDS_MAX } from "./limits.js";
export type { ChannelOutput, ExchangeStep } from "./output.js";
export type { ChannelSelf, ChannelTrust } from "./party.js";
export type { ChannelVersionNumber } from "./version.js";
