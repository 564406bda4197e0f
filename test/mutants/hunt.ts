/** How one mutant is hunted: seed by seed, in a process of its own, and on the unpatched engine once it is caught. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";

import { usualRates } from "../../src/simulation/job.ts";
import type { Invariant, Mutant } from "./mutant.ts";

export interface HuntOrder {
  /** Of a mutant; empty: the engine as it is. */
  readonly name: string;
  readonly seeds: readonly number[];
  readonly changes: number;
  readonly faults: Mutant["faults"];
  readonly every: number;
  /** Ends the hunt. */
  readonly breaks: Invariant | null;
}

export interface Played {
  readonly seed: number;
  /** The checkers' lines. */
  readonly broken: readonly string[];
}

export interface Caught {
  readonly kind: "caught";
  /** Played until then, this one included. */
  readonly seeds: number;
  readonly broken: readonly string[];
}

/** `survived`: nobody saw it. `unclear`: the hunt says nothing, and why. */
export type Outcome =
  | Caught
  | { readonly kind: "survived"; readonly seeds: number; readonly others: readonly string[] }
  | { readonly kind: "unclear"; readonly why: string };

/** The promise that a checker's line says is broken; null: it names none. */
export function invariantOf(line: string): Invariant | null {
  return (/\b(I[1-7]|coverage|liveness|git fsck):/.exec(line)?.[1] ?? null) as Invariant | null;
}

export interface Budget {
  readonly seeds: number;
  readonly changes: number;
}

/** A seed on which the unpatched engine fails too proves nothing, and is passed over. */
export async function hunt(
  { name, faults, every = usualRates.every, breaks }: Mutant,
  { seeds, changes }: Budget,
): Promise<Outcome> {
  const others: string[] = [];
  for (let first = 1; first <= seeds;) {
    const order: HuntOrder = { name, seeds: rangeOf(first, seeds), changes, faults, every, breaks };
    const { played, failure } = await playAway(order);
    const last = played.at(-1);
    const found = last?.broken.filter((line) => invariantOf(line) === breaks) ?? [];
    for (const { seed, broken } of played) if (broken[0] !== undefined) others.push(`seed ${seed}: ${broken[0]}`);
    if (failure !== null) return { kind: "unclear", why: `seed ${(last?.seed ?? first - 1) + 1}: ${failure}` };
    if (last === undefined || found.length === 0) break;
    const whole = await playAway({ ...order, name: "", seeds: [last.seed], breaks: null });
    if (whole.failure !== null)
      return { kind: "unclear", why: `without the patch, seed ${last.seed}: ${whole.failure}` };
    if (whole.played.every(({ broken }) => broken.length === 0))
      return { kind: "caught", seeds: last.seed, broken: found };
    first = last.seed + 1;
  }
  return { kind: "survived", seeds, others };
}

function rangeOf(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

interface PlayedAway {
  readonly played: readonly Played[];
  /** What the process died of. */
  readonly failure: string | null;
}

async function playAway(order: HuntOrder): Promise<PlayedAway> {
  const script = join(import.meta.dirname, "hunt-worker.ts");
  const child = spawn(process.execPath, [script, JSON.stringify(order)], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const played: Played[] = [];
  for await (const line of createInterface(child.stdout)) played.push(JSON.parse(line) as Played);
  const code = await exited;
  const said = /^\w*Error.*$/m.exec(complaint)?.[0] ?? complaint.trim().split("\n")[0];
  return { played, failure: code === 0 ? null : `exit code ${code}: ${said}` };
}
