/** The running list of what the nodes exchange. */
import type { ExchangeGroup, ExchangeRow } from "../feed.js";
import { bytes, clock, groupName, nodeName, whole } from "./format.js";
import {
  ALL_GROUPS,
  clearRows,
  cluster,
  type Filter,
  filter,
  heartbeats,
  leftOut,
  paused,
  ROWS_MAX,
  rows,
  setPaused,
  shownRows,
  waiting,
} from "./store.js";

const DIRECTIONS: readonly { readonly value: Filter["direction"]; readonly label: string }[] = [
  { value: "sent", label: "Sent" },
  { value: "received", label: "Received" },
  { value: "both", label: "Both" },
];

const ARROWS: Readonly<Record<ExchangeRow["direction"], string>> = { sent: "→", received: "←", local: "·" };
const DIRECTION_WORDS: Readonly<Record<ExchangeRow["direction"], string>> = {
  sent: "sends to",
  received: "receives from",
  local: "itself",
};

export function Traffic() {
  return (
    <section class="panel traffic" aria-labelledby="traffic-title">
      <header>
        <h2 id="traffic-title">Exchanged</h2>
        <p class="muted">
          {whole(shownRows.value.length)} of {whole(rows.value.length)} rows
          {rows.value.length >= ROWS_MAX && " (the newest)"}
          {leftOut.value > 0 && ` · ${whole(leftOut.value)} left out under load`}
        </p>
        <div class="buttons">
          <button type="button" aria-pressed={paused.value} onClick={() => setPaused(!paused.value)}>
            {paused.value ? `Resume (${whole(waiting.value)} new)` : "Pause"}
          </button>
          <button type="button" onClick={clearRows}>
            Clear
          </button>
        </div>
      </header>
      <Filters />
      <Rows />
    </section>
  );
}

function Filters() {
  const current = filter.value;
  const change = (part: Partial<Filter>) => {
    filter.value = { ...filter.value, ...part };
  };
  const toggle = (group: ExchangeGroup) => {
    const groups = new Set(current.groups);
    if (!groups.delete(group)) groups.add(group);
    change({ groups });
  };
  return (
    <div class="filters">
      <fieldset class="chips" aria-label="Kinds">
        {ALL_GROUPS.map((group) => (
          <label key={group} class={`chip ${group}`}>
            <input type="checkbox" checked={current.groups.has(group)} onChange={() => toggle(group)} />
            <span>{groupName(group)}</span>
          </label>
        ))}
      </fieldset>
      <fieldset class="segments" aria-label="Seen by">
        {DIRECTIONS.map(({ value, label }) => (
          <label key={value}>
            <input
              type="radio"
              name="direction"
              checked={current.direction === value}
              onChange={() => change({ direction: value })}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <label class="inline">
        <span class="out-of-sight">Node</span>
        <select
          value={current.node === null ? "" : String(current.node)}
          onChange={(event) =>
            change({ node: event.currentTarget.value === "" ? null : Number(event.currentTarget.value) })
          }
        >
          <option value="">All nodes</option>
          {cluster.value.nodes.map((node) => (
            <option key={node.index} value={String(node.index)}>
              {nodeName(node.index)}
            </option>
          ))}
        </select>
      </label>
      <label class="inline grow">
        <span class="out-of-sight">Filter by text</span>
        <input
          type="search"
          placeholder="Filter by text"
          value={current.text}
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
      </label>
      <label class="inline">
        <input
          type="checkbox"
          checked={current.heartbeats}
          onChange={(event) => change({ heartbeats: event.currentTarget.checked })}
        />
        Heartbeats <span class="muted count">{whole(heartbeats.value)}</span>
      </label>
    </div>
  );
}

function Rows() {
  const shown = shownRows.value;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
    <section class="scroll rows" tabIndex={0} aria-label="Rows, newest first">
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Nodes</th>
            <th scope="col">Kind</th>
            <th scope="col">What</th>
            <th scope="col">Detail</th>
            <th scope="col" class="number">
              Size
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <Row key={row.number} row={row} />
          ))}
        </tbody>
      </table>
      {shown.length === 0 && (
        <p class="empty">{rows.value.length === 0 ? "Nothing yet." : "No row passes the filter."}</p>
      )}
    </section>
  );
}

function Row({ row }: { readonly row: ExchangeRow }) {
  return (
    <tr class={`${row.group} ${row.heartbeat ? "heartbeat" : ""}`}>
      <td class="mono time">{clock(row.atMs)}</td>
      <td class="mono nodes">
        {row.node} <span aria-hidden="true">{ARROWS[row.direction]}</span>
        <span class="out-of-sight">{DIRECTION_WORDS[row.direction]}</span> {row.peer ?? ""}
      </td>
      <td>
        <span class={`tag ${row.group}`}>{groupName(row.group)}</span>
      </td>
      <td class="mono">{row.what}</td>
      <td class="detail">{row.detail}</td>
      <td class="number">{bytes(row.bytes)}</td>
    </tr>
  );
}
