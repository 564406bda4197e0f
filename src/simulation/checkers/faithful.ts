/**
 * I5: every commit leaves its file as the object then was and touches no other; when all is quiet, the tree is what the cluster's state
 * comes to under the rules.
 */

import type { Checker, Findings } from "./findings.ts";
import type { TargetFiles } from "./target-files.ts";
import type { Truth } from "./truth.ts";

export interface FaithfulOptions {
  readonly findings: Findings;
  readonly truth: Truth;
  readonly files: TargetFiles;
  /** Blob ids by path, as of the last commit. */
  readonly tree: ReadonlyMap<string, string>;
}

export function faithfulChecker({ findings, truth, files, tree }: FaithfulOptions): Checker {
  return {
    see(told) {
      const { write, file, commit } = told;
      if (write !== null && file.after !== files.after(write))
        findings.break(`I5: another content at ${file.path}`, told);
      for (const { path } of commit.files) if (path !== file.path) findings.break(`I5: it touches ${path}`, told);
    },
    end() {
      const expected = stateOf(truth, files);
      for (const path of new Set([...expected.keys(), ...tree.keys()])) {
        const [found, wanted] = [tree.get(path), expected.get(path)];
        if (found !== wanted)
          findings.break(`I5: at the end ${path} is ${found ?? "missing"}, not ${wanted ?? "missing"}`);
      }
    },
  };
}

function stateOf(truth: Truth, files: TargetFiles): ReadonlyMap<string, string> {
  const state = new Map<string, string>();
  for (const writes of truth.objects()) {
    const last = writes.findLast((write) => truth.holds(write));
    const blob = last === undefined ? "" : files.after(last);
    if (last !== undefined && blob !== "") state.set(files.pathOf(last), blob);
  }
  return state;
}
