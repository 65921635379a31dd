/** Delta debugging (Zeller and Hildebrandt, 2002): which items of a list are needed for it to fail? */

/**
 * @param fails - whether a shorter list still fails. The whole list does.
 * @returns a list from which no single item can be taken, unless `mayGoOn` said stop before that.
 */
export function reduceList<T>(
  items: readonly T[],
  fails: (fewer: readonly T[]) => boolean,
  mayGoOn: () => boolean = () => true,
): readonly T[] {
  let left = items;
  if (left.length > 0 && mayGoOn() && fails([])) return [];
  for (let parts = 2; left.length > 0 && mayGoOn(); ) {
    const size = Math.ceil(left.length / parts);
    const smaller = firstWithout(left, size, fails, mayGoOn);
    if (smaller !== undefined) {
      left = smaller;
      parts = Math.max(2, Math.min(parts - 1, left.length));
    } else if (size === 1) break;
    else parts = Math.min(left.length, parts * 2);
  }
  return left;
}

/** The list without the first run of `size` items that it can do without. */
function firstWithout<T>(
  items: readonly T[],
  size: number,
  fails: (fewer: readonly T[]) => boolean,
  mayGoOn: () => boolean,
): readonly T[] | undefined {
  for (let start = 0; start < items.length && mayGoOn(); start += size) {
    const fewer = [...items.slice(0, start), ...items.slice(start + size)];
    if (fewer.length > 0 && fails(fewer)) return fewer;
  }
  return undefined;
}
