/** The store as anybody would first write it: a whole copy of the state for every seqno. Slow, and plainly right. */
export interface Change {
  readonly map: string;
  readonly key: string;
  /** Undefined removes the key. */
  readonly value: string | undefined;
}

interface Snapshot {
  readonly seqno: number;
  readonly view: number;
  /** "map/key" to value and to the transaction that wrote it. */
  readonly cells: ReadonlyMap<string, { readonly value: string; readonly txId: string }>;
}

export class Snapshots {
  #history: Snapshot[] = [{ seqno: 0, view: 0, cells: new Map() }];
  #committedSeqno = 0;

  get lastSeqno(): number {
    return this.#at("latest").seqno;
  }

  get committedSeqno(): number {
    return this.#committedSeqno;
  }

  apply(changes: readonly Change[], view: number): void {
    const before = this.#at("latest");
    const cells = new Map(before.cells);
    const seqno = before.seqno + 1;
    for (const { map, key, value } of changes) {
      if (value === undefined) cells.delete(`${map}/${key}`);
      else cells.set(`${map}/${key}`, { value, txId: `${view}.${seqno}` });
    }
    this.#history.push({ seqno, view, cells });
  }

  rollback(to: number): void {
    this.#history = this.#history.filter(({ seqno }) => seqno <= to);
  }

  compact(upTo: number): void {
    this.#committedSeqno = Math.max(this.#committedSeqno, upTo);
  }

  /** Every cell of one map, ascending by key. */
  map(state: "latest" | "committed", map: string): [key: string, value: string, txId: string][] {
    const prefix = `${map}/`;
    return [...this.#at(state).cells]
      .filter(([id]) => id.startsWith(prefix))
      .map(([id, { value, txId }]): [string, string, string] => [id.slice(prefix.length), value, txId])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #at(state: "latest" | "committed"): Snapshot {
    const found =
      state === "latest" ? this.#history.at(-1) : this.#history.find(({ seqno }) => seqno === this.#committedSeqno);
    if (found === undefined) throw new Error("the reference keeps every snapshot from 0 on");
    return found;
  }
}
