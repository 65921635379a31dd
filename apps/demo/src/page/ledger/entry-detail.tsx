/** One entry in full: what it is, what it says, its bytes, and the proof that it belongs here. */
import { useSignal } from "@preact/signals";
import { type Shown, type ShownMap, shownMaps } from "@sealane/ledger";
import { bytes as bytesText, nodeName, shortId } from "../format.js";
import { cluster } from "../store.js";
import type { ListedEntry } from "./ask.js";
import { txIdOf } from "./describe.js";
import { Proof } from "./proof.js";
import { opened, openPrivate } from "./store.js";
import { StoredBytes } from "./stored-bytes.js";

const TABS = [
  { value: "contents", label: "Contents" },
  { value: "proof", label: "Bytes and proof" },
] as const;

export function EntryDetail({ listed }: { readonly listed: ListedEntry }) {
  const tab = useSignal<(typeof TABS)[number]["value"]>("contents");
  const { entry, file, offset } = listed;
  return (
    <section class="entry-detail" aria-label={`Entry ${entry.seqno}`}>
      <header>
        <h3>
          Transaction <span class="mono">{txIdOf(entry)}</span>
        </h3>
        <fieldset class="segments" aria-label="Show">
          {TABS.map(({ value, label }) => (
            <label key={value}>
              <input
                type="radio"
                name="entry-tab"
                value={value}
                checked={tab.value === value}
                onChange={() => (tab.value = value)}
              />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
      </header>
      <p class="hint">
        {bytesText(entry.bytes.length)} at offset {offset} of <span class="mono">{file}</span>
        {entry.signature !== undefined && <>, signed by {signer(entry.signature.node)}</>}
      </p>
      {tab.value === "contents" ? (
        <Contents listed={listed} />
      ) : (
        <>
          <StoredBytes entry={entry} />
          <Proof entry={entry} />
        </>
      )}
    </section>
  );
}

function Contents({ listed: { entry } }: { readonly listed: ListedEntry }) {
  return (
    <>
      <h4>Public part</h4>
      <p class="hint">Readable by whoever has the file, and part of what the private part's tag covers.</p>
      {entry.publicMaps.length === 0 ? (
        <p class="hint">It changes no public map.</p>
      ) : (
        <Maps maps={shownMaps(entry.publicMaps)} />
      )}
      <h4>Private part</h4>
      {entry.privateBytes === 0 ? (
        <p class="hint">This entry has none.</p>
      ) : (
        <>
          <p class="hint">
            {bytesText(entry.privateBytes)} of AES-256-GCM ciphertext, encrypted once, the same on every node:
          </p>
          <pre class="stored mono">{spacedHex(entry.bytes.subarray(entry.bytes.length - entry.privateBytes))}</pre>
          {opened.value === null ? (
            <button type="button" onClick={() => void openPrivate()}>
              Open it as a trusted node does
            </button>
          ) : (
            <Maps maps={opened.value.maps} />
          )}
        </>
      )}
    </>
  );
}

function Maps({ maps }: { readonly maps: readonly ShownMap[] }) {
  return (
    <dl class="maps">
      {maps.map(({ name, writes, removes }) => (
        <div key={name}>
          <dt class="mono">{name}</dt>
          {writes.map(({ key, value }) => (
            <dd key={textOf(key)}>
              <span class="mono key">{textOf(key)}</span>
              <pre class="mono">{pretty(value)}</pre>
            </dd>
          ))}
          {removes.map((key) => (
            <dd key={textOf(key)}>
              <span class="mono key">{textOf(key)}</span> <span class="muted">removed</span>
            </dd>
          ))}
        </div>
      ))}
    </dl>
  );
}

const STORED_BYTES_SHOWN = 256;

function spacedHex(bytes: Uint8Array): string {
  const pairs = Array.from(bytes.subarray(0, STORED_BYTES_SHOWN), (byte) => byte.toString(16).padStart(2, "0"));
  return pairs.join(" ") + (bytes.length > STORED_BYTES_SHOWN ? " …" : "");
}

function textOf(bytes: Shown): string {
  if (typeof bytes === "string") return bytes;
  return /^(00)+$/.test(bytes.hex) ? "(the only key)" : bytes.hex;
}

/** JSON is laid out; anything else stands as it is. */
function pretty(bytes: Shown): string {
  if (typeof bytes !== "string") return bytes.hex;
  try {
    return JSON.stringify(JSON.parse(bytes), null, 2);
  } catch {
    return bytes;
  }
}

function signer(id: string): string {
  const known = cluster.value.nodes.find((node) => node.id === id);
  return known === undefined ? shortId(id) : nodeName(known.index);
}
