/** Bodies of objects by their ids, many at once. */

import { ObjectReader } from "../object-reader.ts";
import { BatchReader } from "./batch-reader.ts";
import type { Clone } from "./clone.ts";
import { askGit } from "./git.ts";
import { halves } from "./halves.ts";

/** The API server takes objects of up to 3 MB. */
const limitBytes = 16 << 20;

/** Of any type. What is not in the clone, or is larger than 16 MiB, is not in the map. */
export async function readObjects(clone: Clone, ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  if (clone.partial && ids.length > 0) return await readPresent(clone, ids);
  const found = await Promise.all(halves(ids).map((half) => readHalf(clone, half)));
  return new Map(found.flatMap((objects) => [...objects]));
}

async function readHalf(clone: Clone, ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  const reader = new BatchReader({ limitBytes });
  const input = `${ids.join("\n")}\n`;
  await askGit(clone.git, ["cat-file", "--batch", "--buffer"], { input, onOutput: (chunk) => reader.push(chunk) });
  return reader.objects;
}

/** Bytes of each; of a partial clone, none is told. */
export async function sizesOf(clone: Clone, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0 || clone.partial) return new Map();
  const input = `${ids.join("\n")}\n`;
  const format = "--batch-check=%(objectname) %(objectsize)";
  const output = await askGit(clone.git, ["cat-file", format, "--buffer"], { input });
  return new Map(
    output
      .toString("latin1")
      .split("\n")
      .map((line) => [line.slice(0, 40), Number(line.slice(41)) || 0]),
  );
}

/** In a clone that was made with `--filter`, git ends at the first object that is missing. */
async function readPresent(clone: Clone, ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  const reader = await ObjectReader.open(clone.files, clone.gitDirectory);
  const objects = new Map<string, Buffer>();
  for (const id of ids) {
    const object = await reader.find(id);
    if (object !== null && object.body.length <= limitBytes) objects.set(id, object.body);
  }
  return objects;
}
