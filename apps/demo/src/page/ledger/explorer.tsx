/** The ledger explorer: the entries of one node's files, and one of them in full. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { nodeName, whole } from "../format.js";
import { cluster } from "../store.js";
import type { ListedEntry } from "./ask.js";
import { aboutEntry, kindOf, txIdOf } from "./describe.js";
import { EntryDetail } from "./entry-detail.js";
import {
  chooseNode,
  committedSeqno,
  firstListed,
  following,
  jumpTo,
  lastListed,
  lastSeqno,
  listed,
  node,
  PAGE_ENTRIES,
  select,
  selected,
  showFrom,
  showNewest,
  startFollowing,
  trouble,
} from "./store.js";

const KIND_NAMES = { signature: "Signature", service: "Service", application: "Write" } as const;

export function Explorer() {
  useEffect(startFollowing, []);
  return (
    <section class="panel ledger" aria-labelledby="ledger-title">
      <header>
        <h2 id="ledger-title">Ledger</h2>
        <p class="hint">
          The file of {nodeName(node.value)}, entry by entry: {whole(lastSeqno.value)} entries,{" "}
          {whole(committedSeqno.value)} committed.
        </p>
      </header>
      <Toolbar />
      {trouble.value !== null && (
        <p class="fault" role="alert">
          {trouble.value}
        </p>
      )}
      <div class="ledger-parts">
        <EntryList />
        {selected.value === null ? (
          <p class="empty">Choose an entry to see its parts, open it, prove it, or break it.</p>
        ) : (
          <EntryDetail key={selected.value.entry.seqno} listed={selected.value} />
        )}
      </div>
    </section>
  );
}

function Toolbar() {
  const target = useSignal("");
  const jump = (event: SubmitEvent) => {
    event.preventDefault();
    // A transaction id is taken as well: its view says nothing about where it stands.
    const seqno = Number(target.value.trim().split(".").at(-1));
    if (Number.isSafeInteger(seqno) && seqno > 0) void jumpTo(seqno);
    else trouble.value = "A seqno is a whole number from 1, alone or as view.seqno.";
  };
  return (
    <div class="ledger-bar">
      <fieldset class="segments" aria-label="Ledger of">
        {cluster.value.nodes.map(({ index }) => (
          <label key={index}>
            <input
              type="radio"
              name="ledger-of"
              value={index}
              checked={node.value === index}
              onChange={() => chooseNode(index)}
            />
            <span>{nodeName(index)}</span>
          </label>
        ))}
      </fieldset>
      <div class="buttons">
        <button
          type="button"
          disabled={firstListed.value <= 1}
          onClick={() => void showFrom(firstListed.value - PAGE_ENTRIES)}
        >
          ‹ Older
        </button>
        <button
          type="button"
          disabled={lastListed.value >= lastSeqno.value}
          onClick={() => void showFrom(Math.min(firstListed.value + PAGE_ENTRIES, lastSeqno.value - PAGE_ENTRIES + 1))}
        >
          Newer ›
        </button>
        <button type="button" aria-pressed={following.value} onClick={() => void showNewest()}>
          {following.value ? "Following the newest" : "Newest"}
        </button>
      </div>
      <form class="jump" onSubmit={jump}>
        <label>
          Go to{" "}
          <input
            class="mono"
            name="seqno"
            value={target.value}
            placeholder="seqno"
            inputMode="decimal"
            autocomplete="off"
            onInput={(event) => (target.value = event.currentTarget.value)}
          />
        </label>
        <button type="submit">Go</button>
      </form>
    </div>
  );
}

function EntryList() {
  return (
    <ol class="entries" aria-label="Entries">
      {listed.value.map((one) => (
        <Row key={one.entry.seqno} one={one} />
      ))}
    </ol>
  );
}

function Row({ one }: { readonly one: ListedEntry }) {
  const { entry } = one;
  const kind = kindOf(entry);
  const isCommitted = entry.seqno <= committedSeqno.value;
  return (
    <li>
      <button
        type="button"
        class={`entry ${kind}`}
        aria-pressed={selected.value?.entry.seqno === entry.seqno}
        onClick={() => select(one)}
      >
        <span class="mono">{txIdOf(entry)}</span>
        <span class={`tag ${kind}`}>{KIND_NAMES[kind]}</span>
        <span class="about">{aboutEntry(entry)}</span>
        <span class={isCommitted ? "status committed" : "status pending"}>{isCommitted ? "" : "Pending"}</span>
      </button>
    </li>
  );
}
