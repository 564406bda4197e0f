/** `npm run chart`: writes deploy/chart from src/manifests, the source of `kubescribe install`. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { chartFiles } from "./chart-files.ts";

const chart = new URL("chart/", import.meta.url);
const written = chartFiles();
for (const [path, text] of written) {
  const file = fileURLToPath(new URL(path, chart));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
console.log(`deploy/chart: ${written.size} files`);
