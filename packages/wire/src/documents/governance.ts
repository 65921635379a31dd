/** `POST /governance/ballots`: a member's signed vote (design.md §1). */
import { z } from "zod";
import { NodeId, Seqno, View } from "../brands.js";
import { fromHex, utf8 } from "../bytes.js";
import { Writer } from "../codec.js";
import { nodeIdBytes } from "../ids.js";
import { base64Text, documentParser, KeyIdText, TxIdText } from "./document.js";

const GovernanceAction = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("trust-node"), nodeId: NodeId }).readonly(),
  z.strictObject({ type: z.literal("remove-node"), nodeId: NodeId }).readonly(),
  /** `current`: the seqno from which the secret applies that is to be replaced. */
  z.strictObject({ type: z.literal("rotate-ledger-secret"), current: Seqno }).readonly(),
  /** Hand the primary's role to a node, in this view and no later one: a ballot kept for longer is worth nothing. */
  z.strictObject({ type: z.literal("transfer-primary"), nodeId: NodeId, view: View }).readonly(),
]);
export type GovernanceAction = z.infer<typeof GovernanceAction>;
/** Those that change whether a node belongs to the service. */
export type NodeAction = Extract<GovernanceAction, { readonly type: "trust-node" | "remove-node" }>;

const Ballot = z
  .strictObject({
    action: GovernanceAction,
    /** SHA-256 of the member's SPKI, 64 hex digits. */
    memberId: KeyIdText,
    /** Base64 of raw r ‖ s over `ballotBytes`: 96 bytes with P-384, 64 with P-256. */
    signature: base64Text(64, 96),
  })
  .readonly();
export type Ballot = z.infer<typeof Ballot>;

const BallotAnswer = z.strictObject({ txId: TxIdText, status: z.enum(["open", "accepted"]) }).readonly();
export type BallotAnswer = z.infer<typeof BallotAnswer>;

/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseBallot: (value: unknown) => Ballot = documentParser("ballot", Ballot);
/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseBallotAnswer: (value: unknown) => BallotAnswer = documentParser("answer to a ballot", BallotAnswer);

const BALLOT_LABEL = "sealane/governance/ballot/1";
const KEY_ID = /^[0-9a-f]{64}$/;

/**
 * What a member signs: `"sealane/governance/ballot/1" ‖ 0x00 ‖ service id (32) ‖ u32 length ‖ action type ‖ subject`, where the subject is a
 * node id (32), followed for `transfer-primary` by the u64 `view`; or the u64 `current`. The service id makes a ballot worthless to any other
 * service. It says nothing of time: whoever counts ballots must not let an old one trust a node a second time, and so a removed node's id is
 * used up, as is a secret that was replaced; a transfer names its view.
 * @param serviceId - SHA-256 of the service's SPKI, 64 lower-case hex digits.
 * @throws {RangeError} for another service id. A bug of the caller.
 */
export function ballotBytes(serviceId: string, action: GovernanceAction): Uint8Array {
  if (!KEY_ID.test(serviceId)) throw new RangeError("a service id is 64 lower-case hex digits");
  const writer = new Writer(128).bytes(utf8(BALLOT_LABEL)).u8(0).bytes(fromHex(serviceId));
  writer.blob32(utf8(action.type));
  if (action.type === "rotate-ledger-secret") return writer.u64(action.current).done();
  writer.bytes(nodeIdBytes(action.nodeId));
  return (action.type === "transfer-primary" ? writer.u64(action.view) : writer).done();
}
