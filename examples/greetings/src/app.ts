/**
 * The application: greetings by name, and how often each was changed. A handler is a pure function of a transaction and a request; it runs
 * on the primary alone, and what it wrote is replicated, signed and committed before the client is answered.
 */
import { json, map, u64, utf8Text } from "@sealane/kv";
import { defineApp, RequestError } from "@sealane/node";
import { z } from "zod";

/** A name stands in an address as it is. */
const Name = /^[A-Za-z0-9-]{1,64}$/;
/** Greetings one service keeps: the list is answered as a whole. */
const GREETINGS_MAX = 1_000;

const Greeting = z.strictObject({ text: z.string().min(1).max(200) });

/** Private: encrypted in the ledger, readable to the nodes alone. */
const greetings = map("greetings", { key: utf8Text, value: json((value) => Greeting.parse(value)) });
/** Public: stands in the ledger in clear, so that an auditor without keys can count changes and still reads no greeting. */
const changes = map("public:greetings.changes", { key: utf8Text, value: u64 });

export const greetingsApp = defineApp({
  name: "greetings",
  reads: {
    "GET /greetings": (reader) => ({ body: { names: [...reader.map(greetings).entries()].map(([name]) => name) } }),
    "GET /greetings/:name": (reader, { params }) => {
      const name = nameOf(params.name);
      const greeting = reader.map(greetings).get(name);
      if (greeting === undefined) throw new RequestError("not-found", `Nobody greets ${name}.`);
      return { body: { name, text: greeting.text, changes: reader.map(changes).get(name) ?? 0 } };
    },
  },
  writes: {
    "PUT /greetings/:name": {
      body: Greeting,
      handler(tx, { params, body }) {
        const name = nameOf(params.name);
        if (!tx.map(greetings).has(name) && tx.map(greetings).size >= GREETINGS_MAX) {
          throw new RequestError("overloaded", `${GREETINGS_MAX} names are greeted already; take one back first.`);
        }
        const count = (tx.map(changes).get(name) ?? 0) + 1;
        // Both maps change in one transaction: no reader, and no backup, ever sees one without the other.
        tx.map(greetings).put(name, body);
        tx.map(changes).put(name, count);
        return { body: { name, changes: count } };
      },
    },
    "DELETE /greetings/:name": {
      handler(tx, { params }) {
        const name = nameOf(params.name);
        tx.map(greetings).delete(name);
        return { body: { name } };
      },
    },
  },
});

function nameOf(text = ""): string {
  if (Name.test(text)) return text;
  throw new RequestError("malformed", "A name is 1 to 64 letters, digits and hyphens.");
}
