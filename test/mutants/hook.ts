/** Patches one file of the engine as Node loads it: what is played is the product's code but for that. */

import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import type { Mutant } from "./mutant.ts";

const root = join(import.meta.dirname, "..", "..");

/** Throws where the snippet does not stand in the file exactly once. */
export function patchedText({ name, file, find, replace }: Mutant): string {
  const parts = readFileSync(join(root, file), "utf8").split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new Error(`mutant ${name} no longer fits: its snippet stands ${parts.length - 1} times in ${file}, not once`);
}

/** For all that is imported from now on. Returns whether the patched file was loaded. */
export function patch(mutant: Mutant): () => boolean {
  const text = patchedText(mutant);
  const patched = fileURLToPath(pathToFileURL(join(root, mutant.file)));
  let loaded = false;
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith("file:") || fileURLToPath(url) !== patched) return nextLoad(url, context);
      loaded = true;
      return { format: "module-typescript", source: text, shortCircuit: true };
    },
  });
  return () => loaded;
}
