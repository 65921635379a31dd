/** The form that writes a record through a chosen node, and what became of the last writes. */
import { useSignal } from "@preact/signals";
import type { NodeTxStatus, WriteView } from "../feed.js";
import { elapsed, nodeName } from "./format.js";
import { cluster, post, writes } from "./store.js";

const STATUS_WORDS: Readonly<Record<NodeTxStatus, string>> = {
  unknown: "Unknown",
  pending: "Pending",
  committed: "Committed",
  invalid: "Invalid",
  unreachable: "Down",
};

export function Writer() {
  const key = useSignal("");
  const value = useSignal("");
  const via = useSignal(0);
  const count = useSignal(1);
  const busy = useSignal(false);
  const defaultKey = `note-${count.value}`;

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    busy.value = true;
    const body = {
      via: via.value,
      key: key.value.trim() || defaultKey,
      value: parsed(value.value.trim() || "Hello from the harbour"),
    };
    if (await post("/api/writes", body)) {
      count.value += 1;
      key.value = "";
    }
    busy.value = false;
  };

  return (
    <section class="panel writer" aria-labelledby="writer-title">
      <h2 id="writer-title">Write a record</h2>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          Key
          <input
            class="mono"
            name="key"
            value={key.value}
            placeholder={defaultKey}
            pattern="[A-Za-z0-9._~\-]{1,256}"
            title="1 to 256 of the characters A–Z a–z 0–9 . _ ~ -"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => (key.value = event.currentTarget.value)}
          />
        </label>
        <label>
          Value
          <input
            class="mono"
            name="value"
            value={value.value}
            placeholder="Hello from the harbour"
            title="Any JSON; anything else is written as text"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => (value.value = event.currentTarget.value)}
          />
        </label>
        <fieldset class="segments">
          <legend>Through</legend>
          {cluster.value.nodes.map((node) => (
            <label key={node.index}>
              <input
                type="radio"
                name="via"
                value={node.index}
                checked={via.value === node.index}
                onChange={() => (via.value = node.index)}
              />
              <span>
                {nodeName(node.index)}
                {node.process === "up" && node.role !== "none" && <small> {node.role}</small>}
              </span>
            </label>
          ))}
        </fieldset>
        <button type="submit" class="primary" disabled={busy.value}>
          Write
        </button>
      </form>
      <LastWrites />
    </section>
  );
}

function LastWrites() {
  const last = writes.value;
  return (
    <>
      <h3>Last writes</h3>
      <p class="out-of-sight" role="status" aria-live="polite">
        {last[0] === undefined ? "" : spoken(last[0])}
      </p>
      {last.length === 0 ? (
        <p class="hint">
          Nothing written yet. A write is Pending until a majority of the nodes holds it and its signature.
        </p>
      ) : (
        <ol class="writes">
          {last.map((write) => (
            <Write key={write.number} write={write} />
          ))}
        </ol>
      )}
    </>
  );
}

function Write({ write }: { readonly write: WriteView }) {
  return (
    <li data-write={write.key} data-state={write.state}>
      <div class="head">
        <span class="mono key" title={`${write.key} = ${write.value}`}>
          {write.key}
        </span>
        <span class="muted">via {write.via}</span>
        <span class="mono">{write.txId ?? "…"}</span>
        {write.elapsedMs !== null && <span class="muted">{elapsed(write.elapsedMs)}</span>}
      </div>
      {write.state === "failed" ? (
        <p class="fault">{write.error}</p>
      ) : (
        <div class="statuses">
          {write.statuses.map((status, index) => (
            <span key={index} class={`status ${status}`} title={`${nodeName(index)}: ${STATUS_WORDS[status]}`}>
              <span class="muted">{index}</span> {STATUS_WORDS[status]}
            </span>
          ))}
        </div>
      )}
    </li>
  );
}

function spoken(write: WriteView): string {
  if (write.state === "failed") return `${write.key} failed: ${write.error}`;
  return `${write.key} is ${write.state}${write.txId === null ? "" : `, transaction ${write.txId}`}`;
}

/** JSON where it is JSON, text otherwise: nobody types quotes around a note. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
