/** In order, as parts of no more than `limitBytes`, or of one item that is larger alone. None is empty. */
export function parted<Item>(
  items: readonly Item[],
  options: { readonly bytesOf: (item: Item) => number; readonly limitBytes: number },
): readonly (readonly Item[])[] {
  const parts: Item[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const more = options.bytesOf(item);
    if (bytes + more > options.limitBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(item);
    bytes += more;
  }
  return parts;
}
