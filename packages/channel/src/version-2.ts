/** Version 2 of the channel protocol, put together (channel-v2). */
import { makeConfirm, readMessage, startInit } from "./handshake-v2.js";
import { recordFormatV2 } from "./record-v2.js";
import type { ChannelVersion } from "./version.js";

export const version2: ChannelVersion = {
  version: 2,
  records: recordFormatV2,
  rules: {
    repeatsInit: true,
    answeredInitsKept: 0,
    holdsRecords: false,
    retriesRenewal: false,
    unproven: "at-once",
  },
  start: startInit,
  read: readMessage,
  confirm: makeConfirm,
};
