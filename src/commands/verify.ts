/** `kubescribe verify`: is HEAD what the cluster is? Compares contents by their blob ids, target by target. */

import type { Clock } from "../../actors/ports.ts";
import { optionHelp } from "../config/help.ts";
import { verifyOptionTable } from "../config/option-table.ts";
import type { Difference } from "./compare-trees.ts";
import { lasting } from "./compare-trees.ts";
import { exitDone, exitFailed } from "./command-line.ts";

export const verifyHelp = `Usage: kubescribe verify [--config FILE|DIR] [OPTIONS]

Lists the objects that the rules name, sanitizes them as a commit would, and compares them with the files at the
head of each target's branch. Writes nothing. What differs is looked at twice, a few seconds apart: a change that
is on its way to Git is no difference.

Examples:
  kubescribe verify --kubeconfig ~/.kube/config --config rules.yaml
  kubescribe verify --kubeconfig ~/.kube/config --json

${optionHelp(verifyOptionTable)}

  --help                          this text
  --version                       the version

Exit codes: 0 equal, 1 different (or the cluster or repository could not be read), 2 wrong usage or configuration.
`;

/** One look at one target. */
export interface Look {
  readonly target: string;
  readonly repository: string;
  readonly branch: string;
  /** Commit at the branch's head; empty for an unborn branch. */
  readonly head: string;
  readonly files: number;
  readonly differences: readonly Difference[];
}

export interface VerifyPorts {
  readonly clock: Clock;
  readonly out: (text: string) => void;
  /** For a person who waits. */
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
  readonly look: () => Promise<readonly Look[]>;
}

/** A flush takes milliseconds, a backlog longer; what still differs after so many looks does differ. */
const looks = 3;
const pauseMs = 2000;
const shownDifferences = 1000;

/** Resolves to the exit code. */
export async function verify(options: { readonly json: boolean }, ports: VerifyPorts): Promise<number> {
  let found = await ports.look();
  for (let taken = 1; taken < looks && found.some(differs) && !ports.signal.aborted; taken += 1) {
    ports.progress("Something differs: looking again, for it may be on its way to Git …");
    await pause(ports);
    found = confirmed(found, await ports.look());
  }
  ports.out(options.json ? jsonOf(found) : tableOf(found));
  return found.some(differs) ? exitFailed : exitDone;
}

function differs({ differences }: Look): boolean {
  return differences.length > 0;
}

function confirmed(before: readonly Look[], now: readonly Look[]): readonly Look[] {
  return now.map((look) => {
    const first = before.find(({ target }) => target === look.target);
    return { ...look, differences: lasting(first?.differences ?? [], look.differences) };
  });
}

function pause({ clock, signal }: VerifyPorts): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(pauseMs, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    function stop(): void {
      timer[Symbol.dispose]();
      resolve();
    }
    signal.addEventListener("abort", stop, { once: true });
  });
}

function jsonOf(found: readonly Look[]): string {
  return `${JSON.stringify({ equal: !found.some(differs), targets: found }, null, 2)}\n`;
}

function tableOf(found: readonly Look[]): string {
  return found.map(targetTable).join("\n");
}

function targetTable({ target, repository, branch, head, files, differences }: Look): string {
  const at = head === "" ? "no commit yet" : `at ${head.slice(0, 12)}`;
  const title = `${target}: branch ${branch} of ${repository}, ${at}\n`;
  if (differences.length === 0) return `${title}  equal: ${counted(files, "file")}\n`;
  const lines = differences.slice(0, shownDifferences).map(({ kind, path }) => `  ${kind.padEnd(10)}${path}\n`);
  const rest = differences.length - lines.length;
  const more = rest > 0 ? `  and ${rest} more (--json has them all)\n` : "";
  const legend = "  missing: only in the cluster; extra: only in Git; different: in both, not the same\n";
  return `${title}${lines.join("")}${more}  ${counted(differences.length, "difference")} in ${counted(files, "file")}\n${legend}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
