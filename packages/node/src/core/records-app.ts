/** The application a node runs unless it is given another: JSON records by key, in a private map. */
import { json, map, utf8Text } from "@sealane/kv";
import { equalBytes, formatTxId } from "@sealane/wire";
import { z } from "zod";
import { defineApp } from "./app.js";
import { RequestError } from "./errors.js";
import { keyHistory } from "./key-history.js";

/** Keys stand in addresses as they are. */
const RecordKey = /^[A-Za-z0-9._~-]{1,256}$/;
/** The JSON text of a value may take this many bytes. */
const VALUE_BYTES_MAX = 1_048_576;

const records = map("records", { key: utf8Text, value: json((value) => value) });

export const recordsApp = defineApp({
  name: "records",
  reads: {
    "GET /records/:key": (reader, { params }) => {
      const key = recordKey(params.key);
      const record = reader.map(records);
      const txId = record.versionOf(key);
      if (txId === undefined) throw new RequestError("not-found", `No record has the key ${key}.`);
      return { body: { key, value: record.get(key), txId: formatTxId(txId) } };
    },
  },
  histories: {
    "GET /records/:key/history": ({ params }) => keyHistory(records, recordKey(params.key)),
  },
  writes: {
    "PUT /records/:key": {
      body: z.strictObject({ value: z.json() }),
      /** Repeating a write is harmless: the same value under the same key answers with the transaction that wrote it first. */
      handler(tx, { params, body }) {
        const key = recordKey(params.key);
        const encoded = records.value.encode(body.value);
        if (encoded.length > VALUE_BYTES_MAX)
          throw new RequestError("too-large", "A record holds at most 1 MiB of JSON.");
        const before = tx.get(records.name, records.key.encode(key));
        const txId = tx.map(records).versionOf(key);
        if (before !== undefined && txId !== undefined && equalBytes(before, encoded))
          return { body: { created: false }, txId };
        tx.map(records).put(key, body.value);
        return { body: { created: before === undefined } };
      },
    },
  },
});

function recordKey(text = ""): string {
  if (RecordKey.test(text)) return text;
  throw new RequestError(
    "malformed",
    "A record's key is 1 to 256 letters, digits, dots, underscores, tildes and hyphens.",
  );
}
