/** An entry's bytes as they lie in the file, coloured by part; one can be changed, in this page only. */
import { useSignal } from "@preact/signals";
import type { DecodedEntry } from "@sealane/ledger";
import { REGIONS, regionAt } from "./describe.js";
import { changed, setByte } from "./store.js";

const ROW_BYTES = 24;
/** A signature entry has some 3 KB; more would slow the page down. */
const BYTES_SHOWN_MAX = 6 * 1024;

export function StoredBytes({ entry }: { readonly entry: DecodedEntry }) {
  const at = useSignal(0);
  const bytes = changed.value ?? entry.bytes;
  const shown = Math.min(bytes.length, BYTES_SHOWN_MAX);
  const rows = Array.from({ length: Math.ceil(shown / ROW_BYTES) }, (_, row) => row * ROW_BYTES);
  const choose = (event: MouseEvent) => {
    const offset = event.target instanceof HTMLElement ? event.target.dataset.offset : undefined;
    if (offset !== undefined) at.value = Number(offset);
  };
  return (
    <>
      <h4>Stored bytes</h4>
      <ul class="legend">
        {REGIONS.map(({ name, what }) => (
          <li key={name} class={`region ${name}`}>
            {what}
          </li>
        ))}
      </ul>
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the field below chooses a byte by keyboard */}
      <div class="hex mono" onClick={choose}>
        {rows.map((start) => (
          <div key={start} class="hex-row">
            <span class="muted">{start.toString(16).padStart(4, "0")}</span>
            {Array.from(bytes.subarray(start, Math.min(start + ROW_BYTES, shown)), (byte, index) => {
              const offset = start + index;
              const isChanged = byte !== entry.bytes[offset];
              const region = regionAt(offset, entry.bytes.length, entry.privateBytes);
              return (
                <span
                  key={offset}
                  data-offset={offset}
                  class={`region ${region} ${isChanged ? "is-changed" : ""} ${offset === at.value ? "is-chosen" : ""}`}
                >
                  {byte.toString(16).padStart(2, "0")}
                </span>
              );
            })}
          </div>
        ))}
        {shown < bytes.length && <p class="muted">… {bytes.length - shown} more bytes</p>}
      </div>
      <div class="byte-form">
        <label>
          Byte at{" "}
          <input
            class="mono"
            type="number"
            min={0}
            max={bytes.length - 1}
            value={at.value}
            onInput={(event) => (at.value = clamp(event.currentTarget.valueAsNumber, bytes.length - 1))}
          />
        </label>
        <label>
          is{" "}
          <input
            class="mono"
            value={(bytes[at.value] ?? 0).toString(16).padStart(2, "0")}
            pattern="[0-9a-fA-F]{2}"
            maxLength={2}
            autocomplete="off"
            spellcheck={false}
            title="Two hexadecimal digits"
            onChange={(event) => {
              const text = event.currentTarget.value;
              if (/^[0-9a-fA-F]{2}$/.test(text)) setByte(at.value, Number.parseInt(text, 16));
            }}
          />
        </label>
        <button type="button" class="danger" onClick={() => setByte(at.value, (bytes[at.value] ?? 0) ^ 1)}>
          Flip its lowest bit
        </button>
        <button type="button" disabled={changed.value === null} onClick={() => (changed.value = null)}>
          Undo
        </button>
      </div>
    </>
  );
}

function clamp(value: number, max: number): number {
  return Number.isInteger(value) ? Math.max(0, Math.min(value, max)) : 0;
}
