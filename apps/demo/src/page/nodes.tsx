/** One card for each node. */
import { useSignal } from "@preact/signals";
import type { NodeView } from "../feed.js";
import { committedSeqno, nodeName, shortId, whole } from "./format.js";
import { actOnNode, cluster, commitRates } from "./store.js";

const SPARK_WIDTH = 120;
const SPARK_HEIGHT = 26;
const COPIED_FOR_MS = 1_500;

export function NodeCards() {
  return (
    <section aria-label="Nodes" class="cards">
      {cluster.value.nodes.map((node) => (
        <NodeCard key={node.index} node={node} />
      ))}
    </section>
  );
}

function NodeCard({ node }: { readonly node: NodeView }) {
  const up = node.process === "up";
  const name = nodeName(node.index);
  // Nobody knows what a node that is down would say.
  const number = (value: number) => (up ? whole(value) : "–");
  return (
    <article class={`panel card ${up ? "" : "is-down"}`} aria-label={name}>
      <header>
        <h2>{name}</h2>
        <RoleBadge node={node} />
        <span class="state">
          <span class={`dot ${up ? "good" : node.process === "down" ? "bad" : "busy"}`} aria-hidden="true" />
          {up ? (node.phase === "active" ? "up" : node.phase) : node.process}
        </span>
      </header>
      <dl class="figures">
        <Figure label="Committed" value={number(committedSeqno(node))} strong />
        <Figure label="Last seqno" value={number(node.lastSeqno)} />
        <Figure label="View" value={number(node.view)} />
      </dl>
      <Sparkline rates={commitRates.value[node.index] ?? []} />
      <dl class="lines">
        <dt>Id</dt>
        <dd>{node.id === null ? <span class="muted">not known yet</span> : <CopyId id={node.id} />}</dd>
        <dt>API</dt>
        <dd class="mono">{node.apiUrl}</dd>
        <dt>Peers dial</dt>
        <dd class="mono">{node.publishedAddress}</dd>
      </dl>
      {node.fault !== null && <p class="fault">{node.fault}</p>}
      <div class="buttons">
        <button
          type="button"
          disabled={!up}
          onClick={() => void actOnNode(node.index, "stop")}
          aria-label={`Stop ${name}`}
        >
          Stop
        </button>
        <button
          type="button"
          class="danger"
          title="SIGKILL: as a power cut would"
          disabled={!up}
          onClick={() => void actOnNode(node.index, "kill")}
          aria-label={`Kill ${name}`}
        >
          Kill
        </button>
        <button
          type="button"
          disabled={node.process !== "down"}
          onClick={() => void actOnNode(node.index, "restart")}
          aria-label={`Restart ${name}`}
        >
          Restart
        </button>
      </div>
    </article>
  );
}

function RoleBadge({ node }: { readonly node: NodeView }) {
  if (node.process !== "up" || node.role === "none") return null;
  return <span class={`badge ${node.role}`}>{node.role}</span>;
}

function Figure({
  label,
  value,
  strong = false,
}: {
  readonly label: string;
  readonly value: string;
  readonly strong?: boolean;
}) {
  return (
    <div class={strong ? "strong" : ""}>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function CopyId({ id }: { readonly id: string }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(id);
    copied.value = true;
    setTimeout(() => (copied.value = false), COPIED_FOR_MS);
  };
  return (
    <>
      <span class="mono" title={id}>
        {shortId(id)}
      </span>
      <button type="button" class="quiet small" onClick={() => void copy()} aria-label={`Copy the id ${shortId(id)}`}>
        <span aria-live="polite">{copied.value ? "copied" : "copy"}</span>
      </button>
    </>
  );
}

/** Commits a second over the last 40 seconds. */
function Sparkline({ rates }: { readonly rates: readonly number[] }) {
  const top = Math.max(1, ...rates);
  const step = SPARK_WIDTH / 39;
  const start = SPARK_WIDTH - (rates.length - 1) * step;
  const points = rates.map(
    (rate, i) =>
      `${(start + i * step).toFixed(1)},${(SPARK_HEIGHT - 2 - (rate / top) * (SPARK_HEIGHT - 4)).toFixed(1)}`,
  );
  const last = rates.at(-1) ?? 0;
  return (
    <div class="spark">
      <svg viewBox={`0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <line x1="0" y1={SPARK_HEIGHT - 1} x2={SPARK_WIDTH} y2={SPARK_HEIGHT - 1} class="base" />
        {points.length > 1 && <polyline points={points.join(" ")} />}
      </svg>
      <span class="muted">{whole(last)} commits/s</span>
    </div>
  );
}
