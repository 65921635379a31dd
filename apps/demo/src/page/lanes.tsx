/** The drawing: nodes, and between each two of them one lane for each direction. The table beside it says the same in words. */
import { useEffect, useRef } from "preact/hooks";
import type { ChannelView, ClusterView, ExchangeRow, NodeView } from "../feed.js";
import { nodeName } from "./format.js";
import { cluster, watchRows } from "./store.js";

const WIDTH = 720;
const NODE_WIDTH = 132;
const NODE_HEIGHT = 60;
/** How far a lane bows away from the straight line: two directions must not cover each other. */
const BOW = 26;
const PAIR_HEIGHT = 168;
const RING_HEIGHT = 460;
/** A boat on each lane at most this often: one sees that something moves, not each message. */
const BOAT_EVERY_MS = 220;
const BOAT_MS = 700;
const SVG = "http://www.w3.org/2000/svg";

interface Point {
  readonly x: number;
  readonly y: number;
}

export function Lanes() {
  const view = cluster.value;
  const boats = useRef<SVGGElement>(null);
  useEffect(() => watchRows(launcher(boats)), []);
  const height = view.nodes.length <= 2 ? PAIR_HEIGHT : RING_HEIGHT;
  const places = view.nodes.map((node) => place(node.index, view.nodes.length));
  return (
    <svg class="lanes" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={inWords(view)}>
      <defs>
        <marker
          id="arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto-start-reverse"
        >
          <path d="M0 0.5 L8 4 L0 7.5 z" />
        </marker>
      </defs>
      {view.links.flatMap(({ a, b, cut }) => [
        <Lane key={`${a}-${b}`} from={a} to={b} cut={cut} view={view} places={places} />,
        <Lane key={`${b}-${a}`} from={b} to={a} cut={cut} view={view} places={places} />,
      ])}
      <g ref={boats} class="boats" />
      {view.nodes.map((node) => (
        <Harbour key={node.index} node={node} at={places[node.index] ?? { x: 0, y: 0 }} />
      ))}
    </svg>
  );
}

interface LaneProps {
  readonly from: number;
  readonly to: number;
  readonly cut: boolean;
  readonly view: ClusterView;
  readonly places: readonly Point[];
}

function Lane({ from, to, cut, view, places }: LaneProps) {
  const channel = channelOf(view, from, to);
  const kind = laneKind(channel, cut, view, from, to);
  const curve = lanePath(places, from, to);
  const label = laneLabel(channel, cut, view, from, to);
  return (
    <g class={`lane ${kind}`}>
      <path d={curve.d} marker-end="url(#arrow)" data-lane={`${from}-${to}`}>
        <title>{`${nodeName(from)} to ${nodeName(to)}: ${label}`}</title>
      </path>
      {view.nodes.length === 2 && (
        <text x={curve.middle.x} y={curve.middle.y + (from < to ? -10 : 20)} text-anchor="middle">
          {label}
        </text>
      )}
      {cut && from < to && (
        <text
          class="scissors"
          x={(places[from]?.x ?? 0) / 2 + (places[to]?.x ?? 0) / 2}
          y={(places[from]?.y ?? 0) / 2 + (places[to]?.y ?? 0) / 2 + 5}
          text-anchor="middle"
        >
          ✕ cut
        </text>
      )}
    </g>
  );
}

function Harbour({ node, at }: { readonly node: NodeView; readonly at: Point }) {
  const up = node.process === "up";
  return (
    <g
      class={`harbour ${up ? node.role : "down"}`}
      transform={`translate(${at.x - NODE_WIDTH / 2} ${at.y - NODE_HEIGHT / 2})`}
    >
      <rect width={NODE_WIDTH} height={NODE_HEIGHT} rx="10" />
      <text x={NODE_WIDTH / 2} y="26" text-anchor="middle" class="name">
        {nodeName(node.index)}
      </text>
      <text x={NODE_WIDTH / 2} y="44" text-anchor="middle" class="what">
        {up ? (node.phase === "active" ? node.role : node.phase) : node.process}
      </text>
    </g>
  );
}

export function channelOf(view: ClusterView, from: number, to: number): ChannelView | undefined {
  return view.nodes[from]?.channels.find((channel) => channel.to === to);
}

/** The word for a directed channel, with what the person did to it in front of what the protocol says. */
export function laneLabel(
  channel: ChannelView | undefined,
  cut: boolean,
  view: ClusterView,
  from: number,
  to: number,
): string {
  if (view.nodes[from]?.process !== "up") return `${nodeName(from)} is down`;
  const state = channel?.state ?? "INACTIVE";
  if (cut) return `${state}, link cut`;
  if (view.nodes[to]?.process !== "up") return `${state}, ${nodeName(to)} is down`;
  return channel?.open === true && state !== "ESTABLISHED" ? `${state}, open` : state;
}

/** How a directed channel is drawn: one of four kinds, each with a colour and a pattern of its own. */
export function laneKind(
  channel: ChannelView | undefined,
  cut: boolean,
  view: ClusterView,
  from: number,
  to: number,
): string {
  if (cut) return "is-cut";
  if (view.nodes[from]?.process !== "up" || view.nodes[to]?.process !== "up" || channel === undefined)
    return "inactive";
  if (channel.state === "ESTABLISHED") return "established";
  return channel.state === "INACTIVE" ? "inactive" : "exchanging";
}

/** Two nodes face each other; more stand on a ring. */
function place(index: number, count: number): Point {
  if (count === 1) return { x: WIDTH / 2, y: PAIR_HEIGHT / 2 };
  if (count === 2) return { x: index === 0 ? NODE_WIDTH / 2 + 2 : WIDTH - NODE_WIDTH / 2 - 2, y: PAIR_HEIGHT / 2 };
  const angle = (index / count) * 2 * Math.PI - Math.PI / 2;
  return { x: WIDTH / 2 + Math.cos(angle) * 250, y: RING_HEIGHT / 2 + Math.sin(angle) * 180 };
}

function lanePath(places: readonly Point[], from: number, to: number): { readonly d: string; readonly middle: Point } {
  const a = places[from] ?? { x: 0, y: 0 };
  const b = places[to] ?? { x: 0, y: 0 };
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const along = { x: (b.x - a.x) / length, y: (b.y - a.y) / length };
  // To the left of the direction of travel, so that the two lanes of a pair lie on either side.
  const aside = { x: along.y, y: -along.x };
  const bow = places.length === 2 ? BOW : BOW / 2;
  const start = edge(a, along, aside, bow * 0.5);
  const end = edge(b, { x: -along.x, y: -along.y }, aside, bow * 0.5);
  const control = { x: (a.x + b.x) / 2 + aside.x * bow * 1.5, y: (a.y + b.y) / 2 + aside.y * bow * 1.5 };
  return {
    d: `M${round(start.x)} ${round(start.y)} Q${round(control.x)} ${round(control.y)} ${round(end.x)} ${round(end.y)}`,
    middle: { x: (start.x + end.x) / 4 + control.x / 2, y: (start.y + end.y) / 4 + control.y / 2 },
  };
}

/** Where a lane leaves the box around `centre`, shifted aside and a little away from the border. */
function edge(centre: Point, along: Point, aside: Point, shift: number): Point {
  const reach = Math.min(
    along.x === 0 ? Number.POSITIVE_INFINITY : (NODE_WIDTH / 2 + 5) / Math.abs(along.x),
    along.y === 0 ? Number.POSITIVE_INFINITY : (NODE_HEIGHT / 2 + 5) / Math.abs(along.y),
  );
  return { x: centre.x + along.x * reach + aside.x * shift, y: centre.y + along.y * reach + aside.y * shift };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function inWords(view: ClusterView): string {
  const lanes = view.links.flatMap(({ a, b, cut }) =>
    [[a, b] as const, [b, a] as const].map(
      ([from, to]) =>
        `${nodeName(from)} to ${nodeName(to)}: ${laneLabel(channelOf(view, from, to), cut, view, from, to)}`,
    ),
  );
  return `Channels between ${view.nodes.length} nodes. ${lanes.join(". ")}.`;
}

/** Sends a small mark along the lane of each message that is more than a heartbeat. */
function launcher(layer: { readonly current: SVGGElement | null }): (rows: readonly ExchangeRow[]) => void {
  const lastMs = new Map<string, number>();
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  return (rows) => {
    if (still.matches || document.hidden || layer.current === null) return;
    for (const row of rows) {
      if (row.heartbeat || row.direction !== "sent" || row.peer === null) continue;
      const name = `${row.node}-${row.peer}`;
      const nowMs = performance.now();
      if (nowMs - (lastMs.get(name) ?? 0) < BOAT_EVERY_MS) continue;
      const d = layer.current.ownerSVGElement?.querySelector(`[data-lane="${name}"]`)?.getAttribute("d");
      if (d === null || d === undefined) continue;
      lastMs.set(name, nowMs);
      const boat = document.createElementNS(SVG, "circle");
      boat.setAttribute("r", "4");
      boat.setAttribute("class", row.group);
      boat.style.offsetPath = `path("${d}")`;
      layer.current.append(boat);
      boat.animate([{ offsetDistance: "0%" }, { offsetDistance: "100%" }], {
        duration: BOAT_MS,
        easing: "ease-in-out",
      }).onfinish = () => boat.remove();
    }
  };
}
