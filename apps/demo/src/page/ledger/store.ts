/** What the ledger explorer shows: a page of one node's entries, one of them selected, perhaps with bytes changed. */

import { batch, computed, effect, signal } from "@preact/signals";
import type { z } from "zod";
import { LedgerPageView, OpenedEntryView, ReceiptView } from "../../ledger-feed.js";
import { cluster } from "../store.js";
import { ask, type ListedEntry, readEntries } from "./ask.js";

export const PAGE_ENTRIES = 15;
/** While following, the list is read again at most this often. */
const FOLLOW_EVERY_MS = 1_000;

export const node = signal(0);
/** Whether the list moves on with what is written. */
export const following = signal(true);
export const listed = signal<readonly ListedEntry[]>([]);
export const selected = signal<ListedEntry | null>(null);
/** One sentence on why the list, or something about the selected entry, could not be had. */
export const trouble = signal<string | null>(null);

/** The selected entry's bytes, with what was changed; null while they are as stored. */
export const changed = signal<Uint8Array | null>(null);
export const opened = signal<OpenedEntryView | null>(null);
export const receipt = signal<ReceiptView | null>(null);

export const lastSeqno = computed(() => cluster.value.nodes[node.value]?.lastSeqno ?? 0);
export const committedSeqno = computed(() => Number(cluster.value.nodes[node.value]?.committed.split(".")[1] ?? 0));
export const lastListed = computed(() => listed.value.at(-1)?.entry.seqno ?? 0);
export const firstListed = computed(() => listed.value[0]?.entry.seqno ?? 1);

/** Follows the newest entries as long as the page is open. */
export function startFollowing(): () => void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    if (!following.value || lastSeqno.value === 0) return;
    waiting ??= setTimeout(
      () => {
        waiting = undefined;
        if (following.peek()) void showNewest();
      },
      listed.peek().length === 0 ? 0 : FOLLOW_EVERY_MS,
    );
  });
  return () => {
    stop();
    clearTimeout(waiting);
  };
}

export function chooseNode(index: number): void {
  batch(() => {
    node.value = index;
    listed.value = [];
    following.value = true;
    select(null);
  });
}

export async function showNewest(): Promise<void> {
  following.value = true;
  await load(lastSeqno.value - PAGE_ENTRIES + 1);
}

export async function showFrom(seqno: number): Promise<void> {
  following.value = false;
  await load(seqno);
}

/** Shows the entry among its neighbours, and selects it. */
export async function jumpTo(seqno: number): Promise<void> {
  await showFrom(seqno - Math.floor(PAGE_ENTRIES / 2));
  const found = listed.value.find(({ entry }) => entry.seqno === seqno);
  if (found === undefined) trouble.value = `This node's ledger has no entry ${seqno}.`;
  else select(found);
}

export function select(one: ListedEntry | null): void {
  batch(() => {
    if (one !== null) following.value = false;
    selected.value = one;
    changed.value = null;
    opened.value = null;
    receipt.value = null;
    trouble.value = null;
  });
}

export async function openPrivate(): Promise<void> {
  const view = await askAboutSelected("private", OpenedEntryView);
  if (view !== undefined) opened.value = view;
}

export async function buildReceipt(): Promise<void> {
  const view = await askAboutSelected("receipt", ReceiptView);
  if (view !== undefined) receipt.value = view;
}

/** Changes one byte of the selected entry, here in the page only. */
export function setByte(offset: number, value: number): void {
  const stored = selected.value?.entry.bytes;
  if (stored === undefined || offset >= stored.length) return;
  const next = (changed.value ?? stored).slice();
  next[offset] = value;
  changed.value = next.every((byte, index) => byte === stored[index]) ? null : next;
}

async function load(from: number): Promise<void> {
  const of = node.value;
  const first = Math.max(1, Math.min(from, Math.max(1, lastSeqno.value)));
  const asked = await ask(of, `?from=${first}&count=${PAGE_ENTRIES}`, LedgerPageView);
  if (node.value !== of) return;
  if ("trouble" in asked) {
    trouble.value = asked.trouble;
    return;
  }
  const page = readEntries(asked.view);
  batch(() => {
    listed.value = page.listed;
    trouble.value = page.trouble ?? null;
  });
}

/** The answer belongs to what was selected when it was asked for. */
async function askAboutSelected<S extends z.ZodType>(what: string, schema: S): Promise<z.output<S> | undefined> {
  const about = selected.value;
  if (about === null) return undefined;
  const asked = await ask(node.value, `/${about.entry.seqno}/${what}`, schema);
  if (selected.value !== about) return undefined;
  trouble.value = "trouble" in asked ? asked.trouble : null;
  return "trouble" in asked ? undefined : asked.view;
}
