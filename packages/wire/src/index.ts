/** Brands, binary codecs and JSON documents of everything that passes between nodes, and between nodes and clients. */
export { type Address, formatAddress, parseAddress } from "./address.js";
export { NodeId, Seqno, seqno, type TxId, VIEW_MAX, View, view } from "./brands.js";
export { base64, concatBytes, equalBytes, fromBase64, fromHex, fromUtf8, hex, utf8 } from "./bytes.js";
export { Reader, Writer } from "./codec.js";
export {
  consensusHeaderBytes,
  type DecodedConsensus,
  decodeConsensus,
  ENTRIES_DIGEST_BYTES,
  encodeConsensus,
} from "./consensus.js";
export {
  type AppendEntries,
  type AppendEntriesResponse,
  type ConsensusMessage,
  ELECTION_PRE_VOTE,
  ELECTION_REGULAR,
  type ElectionType,
  type ProposeRequestVote,
  type RequestVote,
  type RequestVoteResponse,
} from "./consensus-message.js";
export {
  ERROR_CODES,
  type ErrorAnswer,
  type ErrorCode,
  parseErrorAnswer,
  parseRecordAnswer,
  parseTxStatusResponse,
  parseWriteAnswer,
  type RecordAnswer,
  type TxStatus,
  type TxStatusResponse,
  type WriteAnswer,
} from "./documents/answers.js";
export { parseJson } from "./documents/document.js";
export {
  type Ballot,
  type BallotAnswer,
  ballotBytes,
  type GovernanceAction,
  type NodeAction,
  parseBallot,
  parseBallotAnswer,
} from "./documents/governance.js";
export {
  type EntriesPage,
  HISTORY_PAGE_ITEMS_MAX,
  type HistoricalEntry,
  type KeyHistoryPage,
  parseEntriesPage,
  parseHistoricalEntry,
  parseKeyHistoryPage,
  SHOWN_ENTRY_BYTES_MAX,
} from "./documents/history.js";
export {
  type JoinedNetwork,
  type JoinRequest,
  type JoinResponse,
  LEDGER_SECRETS_MAX,
  type NetworkNode,
  type NodeAddresses,
  parseJoinRequest,
  parseJoinResponse,
  parseNodeAddresses,
} from "./documents/join.js";
export {
  type ChannelState,
  type NetworkState,
  type NodeState,
  parseNetworkState,
  parseNodeState,
} from "./documents/state.js";
export { WireError, type WireErrorCode } from "./errors.js";
export type { LayoutOptions } from "./fields.js";
export {
  decodeForwardedHeader,
  decodeForwardedRequest,
  decodeForwardedResponse,
  encodeForwardedHeader,
  encodeForwardedRequest,
  encodeForwardedResponse,
  FORWARDED_PATH_BYTES_MAX,
  type ForwardedHeader,
  type ForwardedRequest,
  type ForwardedResponse,
  forwardedHeaderBytes,
} from "./forwarded.js";
export {
  encodeFrameHeader,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  FRAME_HEADER_BYTES,
  type FrameHead,
  type FrameType,
  parseFrameHead,
} from "./frame.js";
export {
  CERTIFICATE_BYTES_MAX,
  type ChannelConfirm,
  type ChannelFinal,
  type ChannelInit,
  type ChannelInitFields,
  type ChannelResponse,
  type ChannelResponseFields,
  decodeHandshake,
  decodeRecordTrailer,
  encodeConfirm,
  encodeFinalUnsigned,
  encodeInitUnsigned,
  encodeRecordTrailer,
  encodeResponseUnsigned,
  HANDSHAKE_ID_BYTES,
  HANDSHAKE_NONCE_BYTES,
  type HandshakeMessage,
  KEY_SHARE_BYTES,
  RECORD_TRAILER_BYTES,
  type RecordTrailer,
} from "./handshake.js";
export {
  type ChannelFinalV1,
  type ChannelInitV1,
  type ChannelResponseV1,
  decodeHandshakeV1,
  encodeHandshakeV1,
  type HandshakeMessageV1,
  V1_FIELD_BYTES_MAX,
} from "./handshake-v1.js";
export { formatTxId, NODE_ID_BYTES, nodeIdBytes, nodeIdFromBytes, parseNodeId, parseTxId } from "./ids.js";
export { type MapWrites, PUBLIC_PREFIX, type WriteSet } from "./write-set.js";
