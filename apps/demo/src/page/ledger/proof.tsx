/** The receipt of an entry, verified in this browser, and each step of it as it was computed. */
import { useSignal } from "@preact/signals";
import type { DecodedEntry } from "@sealane/ledger";
import { webCrypto } from "@sealane/ledger/receipt";
import { useEffect } from "preact/hooks";
import { type Check, type Examined, examine } from "./examine.js";
import { buildReceipt, changed, receipt } from "./store.js";

const MARKS = { holds: "✓", changed: "≠", broken: "✗" } as const;
const STATE_WORDS = { holds: "holds", changed: "another than was signed", broken: "breaks" } as const;

export function Proof({ entry }: { readonly entry: DecodedEntry }) {
  const examined = useSignal<Examined | null>(null);
  const bytes = changed.value ?? entry.bytes;
  const given = receipt.value;
  useEffect(() => {
    if (given === null) return undefined;
    let isCurrent = true;
    void examine(bytes, entry, given, webCrypto(crypto.subtle)).then((result) => {
      if (isCurrent) examined.value = result;
    });
    return () => {
      isCurrent = false;
    };
  }, [bytes, entry, given]);

  return (
    <>
      <h4>Proof</h4>
      {given === null ? (
        <>
          <p class="hint">
            A receipt is the path from this entry to a root of the Merkle tree that a node signed, and the service's
            endorsement of that node. Whoever knows the service certificate can verify it alone.
          </p>
          <button type="button" class="primary" onClick={() => void buildReceipt()}>
            Build a receipt
          </button>
        </>
      ) : (
        examined.value !== null && <Verdict examined={examined.value} receipt={given.receipt} />
      )}
    </>
  );
}

function Verdict({
  examined: { holds, checks },
  receipt: text,
}: {
  readonly examined: Examined;
  readonly receipt: string;
}) {
  return (
    <>
      <p class={`verdict ${holds ? "holds" : "broken"}`} role="status">
        {holds
          ? "Verified in this browser: the service committed exactly these bytes."
          : "Not proved: these are not the bytes that were signed."}
      </p>
      <ol class="proof">
        {checks.map((check, index) => (
          <Step key={index} check={check} />
        ))}
      </ol>
      <details>
        <summary>The receipt</summary>
        <pre class="stored mono">{JSON.stringify(JSON.parse(text), null, 2)}</pre>
      </details>
    </>
  );
}

function Step({ check: { state, title, detail, digest } }: { readonly check: Check }) {
  return (
    <li class={state}>
      <span class="mark" aria-hidden="true">
        {MARKS[state]}
      </span>
      <span class="title">
        {title}
        <span class="out-of-sight"> {STATE_WORDS[state]}</span>
      </span>
      {detail !== undefined && <span class="mono detail">{detail}</span>}
      {digest !== undefined && <span class="mono digest">{digest}</span>}
    </li>
  );
}
