/**
 * Where ours differs from the recorded nodes on purpose, case by case and side by side, fact by fact. The runner fails when a fact is missing here,
 * and as well when one stands here that is no longer so.
 */
import type { Course } from "./replay.js";
import type { SideName } from "./vectors.js";

export interface Declaration extends Course {
  readonly side: SideName;
  /** In the words of `replay`: "event: fact". */
  readonly differs: readonly string[];
  readonly why: string;
}

/** A side that cannot be replayed at all. */
export interface Unbuildable {
  readonly side: SideName;
  /** The message of the `RangeError` with which the channel cannot be made. */
  readonly refusal: string;
  readonly why: string;
}

const BY_THE_CLOCK =
  "retries come by the clock, also out of the wait for a final; so a lost message leaves no channel stuck (§12.1, 8)";
const END_ENTITY = "only an end-entity certificate is a node's (§12, 22)";
const ONE_FORM = "a field has the one form that senders write (§12.1, 6)";
const NO_REPLAY =
  "an answered init is refused when it comes again, and keys in use stay until a final (§12.1, 2 and 3)";
const OWN_CERTIFICATE = "a certificate has to be the peer's, so a node's own messages are no one else's (§12.1, 4)";

export const DECLARED: Readonly<Record<string, readonly Declaration[]>> = {
  no_retry_in_waiting_for_final: [
    { side: "A", differs: ["2: an init was sent besides"], why: BY_THE_CLOCK },
    {
      side: "B",
      differs: [
        "3: w2 was not sent",
        "3: the state is INITIATED, not WAITING_FOR_FINAL",
        "3: an init was sent besides",
      ],
      why: `${BY_THE_CLOCK}; and nothing is sent before the final`,
    },
  ],
  lenient_v1: [
    {
      side: "B",
      differs: [
        "9: refused: malformed",
        "11: refused: malformed",
        "13: refused: bad-share",
        "15: refused: bad-share",
        "17: refused: bad-share",
        "21: refused: trailing",
        "22: refused: counter-too-high",
      ],
      repair: { event: 21, wire: "w20" },
      why: `${ONE_FORM}: salts of 1 and 100 bytes, a wrong length byte, a compressed and a hybrid point, bytes behind a final, an IV that does not start with 0. The forms of PEM are taken as recorded`,
    },
  ],
  certificate_is_the_service_certificate: [
    { side: "A", lastEvent: 1, differs: ["1: refused: certificate-not-end-entity"], why: END_ENTITY },
  ],
  certificate_is_a_ca_below_service: [
    { side: "A", lastEvent: 1, differs: ["1: refused: certificate-not-end-entity"], why: END_ENTITY },
  ],
  weak_init_replay_resets_nonce: [
    {
      side: "B",
      differs: ["3: refused: replayed-init", "8: w4 has other bytes", "8: the next counter is 3, not 2"],
      why: `${NO_REPLAY}: the second record has counter 2, not 1 again`,
    },
  ],
  weak_init_replay_when_established: [
    { side: "B", lastEvent: 7, differs: ["7: refused: replayed-init"], why: NO_REPLAY },
  ],
  weak_init_replay_twice_when_established: [
    { side: "B", lastEvent: 5, differs: ["5: refused: replayed-init"], why: NO_REPLAY },
  ],
  weak_salt_not_signed: [
    {
      side: "B",
      differs: ["7: the state is INITIATED, not ESTABLISHED", "7: an init was sent besides"],
      why: "keys that nothing has proven and under which a record fails are given up for a fresh exchange (§12, 4 and 5)",
    },
  ],
  weak_reflection_self_handshake: [{ side: "A", lastEvent: 1, differs: ["1: refused: own-id"], why: OWN_CERTIFICATE }],
  weak_reflection_through_second_channel: [
    { side: "A", lastEvent: 2, differs: ["2: refused: own-id"], why: OWN_CERTIFICATE },
    { side: "B", lastEvent: 1, differs: ["1: refused: own-id"], why: OWN_CERTIFICATE },
  ],
  weak_identity_not_bound: [
    {
      side: "B",
      lastEvent: 1,
      differs: ["1: refused: identity-mismatch"],
      why: "the sender's id has to be the hash of the certificate's key (§12.1, 4)",
    },
  ],
  weak_final_covers_one_share: [
    {
      side: "B",
      differs: ["3: refused: replayed-init", "4: a key is missing", "4: a key is missing"],
      why: `${NO_REPLAY}; the final completes the first exchange, with the keys that both ends have`,
    },
  ],
  weak_early_failure_touches_salt: [
    {
      side: "A",
      differs: ["3: w4 has other bytes", "3: a key is missing", "3: a key is missing"],
      why: "a refused init changes nothing, so the keys are those of the salt this end sent (§12.1, 6)",
    },
  ],
};

export const UNBUILDABLE: Readonly<Record<string, Unbuildable>> = {
  weak_identity_not_bound: {
    side: "A",
    refusal: "the id is not that of the key",
    why: "a channel that claims another id than its own key's cannot be made",
  },
};

/** Cases named after a weakness or leniency in which ours does as recorded, since the bytes leave no choice. */
export const AS_RECORDED: Readonly<Record<string, string>> = {
  weak_message_type_not_bound:
    "the frame type is in no authenticated byte; no two headers of today have one kind and one size in both types",
  weak_trailer_not_authenticated: "ledger entries lie outside of the tag; the ledger's own signatures protect them",
};
