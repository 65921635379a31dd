/** Version 1 of the channel protocol, put together (channel-v1-wire), for interoperating with existing CCF nodes and no more. */
import { readMessageV1, startInitV1 } from "./handshake-v1.js";
import { recordFormatV1 } from "./record-v1.js";
import type { ChannelVersion } from "./version.js";

/** Inits of the peer remembered as answered; 16 bytes each. An hour of renewals a second apart would be 3,600; a day of hourly ones is 24. */
const ANSWERED_INITS_KEPT = 256;

export const version1: ChannelVersion = {
  version: 1,
  records: recordFormatV1,
  rules: {
    repeatsInit: false,
    answeredInitsKept: ANSWERED_INITS_KEPT,
    holdsRecords: true,
    retriesRenewal: true,
    unproven: "when-doubted",
  },
  start: startInitV1,
  read: readMessageV1,
  confirm: undefined,
};
