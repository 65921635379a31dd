/** The page as a whole: header, nodes, channels, writes, and what is exchanged. */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { Channels } from "./channels.js";
import { whole } from "./format.js";
import { NodeCards } from "./nodes.js";
import { cluster, connection, notice, summary } from "./store.js";
import { type Theme, theme } from "./theme.js";
import { Traffic } from "./traffic.js";
import { Writer } from "./writer.js";

const THEMES: readonly { readonly value: Theme; readonly label: string }[] = [
  { value: "system", label: "Auto" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

export function App() {
  return (
    <>
      <Header />
      <main>
        <Notice />
        {cluster.value.nodes.length === 0 ? <p class="empty">Waiting for the first node…</p> : <Sections />}
      </main>
    </>
  );
}

function Sections() {
  return (
    <>
      <NodeCards />
      <div class="pair">
        <Channels />
        <Writer />
      </div>
      <Traffic />
      <LazyExplorer />
    </>
  );
}

/** The explorer brings cryptography and the ledger format with it: the rest of the page does not wait for them. */
const explorer = signal<ComponentType | null>(null);
void import("./ledger/explorer.js").then(({ Explorer }) => {
  explorer.value = Explorer;
});

function LazyExplorer() {
  const Explorer = explorer.value;
  return Explorer === null ? null : <Explorer />;
}

function Header() {
  const { up, all, primary, view, committed } = summary.value;
  return (
    <header class="top">
      <h1>
        <img src="/icon.svg" alt="" width="28" height="28" />
        Sealane <span class="muted">demo</span>
      </h1>
      <p class="facts">
        <span class={`dot ${connection.value === "live" ? "good" : "bad"}`} aria-hidden="true" />
        {connection.value === "live" ? (
          <>
            {up} of {all} nodes up · {primary === null ? "no primary" : `${primary} is primary in view ${view}`} ·
            committed {whole(committed)}
          </>
        ) : (
          "Not connected to the demo. Trying again…"
        )}
      </p>
      <fieldset class="segments" aria-label="Colours">
        {THEMES.map(({ value, label }) => (
          <label key={value}>
            <input
              type="radio"
              name="theme"
              value={value}
              checked={theme.value === value}
              onChange={() => (theme.value = value)}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
    </header>
  );
}

function Notice() {
  const current = notice.value;
  return (
    <div class="notice" role="status" aria-live="polite">
      {current !== null && (
        <p class={current.failed ? "failed" : ""}>
          {current.text}
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => (notice.value = null)}>
            ×
          </button>
        </p>
      )}
    </div>
  );
}
