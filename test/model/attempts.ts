/** The reviews of a request, each with what the model makes of its base. */

import { objectAt, parseJson, stringAt } from "../../src/simulator/json.ts";
import { isDenied } from "./model-cluster.ts";
import { Normaliser } from "./normalise.ts";
import type { Replayed } from "./replay.ts";
import { replay } from "./replay.ts";
import type { TracedEvent, TracedRequest } from "./trace.ts";
import type { TraceHistory } from "./trace-history.ts";

export interface Attempted {
  readonly request: TracedRequest;
  readonly operation: string;
  readonly atMs: number;
  /** Of the review's oldObject; empty for a creation. */
  readonly uid: string;
  readonly version: string;
  /** Of a creation: the uid of what is to be. */
  readonly created: string;
  readonly base: TracedEvent | null;
  /** What the model may make of it; more than one where its watch cache may have been behind. */
  readonly replayed: readonly Replayed[];
  /** Nobody refuses it, and it is meant. */
  readonly effective: boolean;
}

/** `complain` is told what the model does not admit. */
export function attemptsOf(
  request: TracedRequest,
  history: TraceHistory,
  complain: (what: string) => void,
): readonly Attempted[] {
  const attempts: Attempted[] = [];
  const bases = new Map<string, readonly (TracedEvent | null)[]>();
  for (const { text, atMs } of request.reviews) {
    const review = objectAt(parseJson(text), "request");
    const old = objectAt(objectAt(review, "oldObject"), "metadata");
    const operation = stringAt(review, "operation");
    const [uid, version] = [stringAt(old, "uid"), stringAt(old, "resourceVersion")];
    const base = operation === "CREATE" ? null : history.version(uid, version);
    if (base === null && operation !== "CREATE") {
      complain(`${textOf(request)}: reviewed on ${uid}/${version}, which never was`);
      continue;
    }
    // A deletecollection deletes one after the other.
    const line = request.action === "delete all" ? uid : "";
    const earlier = bases.get(line) ?? [];
    // The second step of a DELETE begins with the watch cache again, which may be behind what the first step saw.
    const again = earlier.some((one) => Number(one?.version) > Number(version)) || request.action === "generate";
    const own = [...(again ? [] : earlier), base];
    bases.set(line, own);
    attempts.push({
      request,
      operation,
      atMs,
      uid,
      version,
      base,
      created: stringAt(objectAt(objectAt(review, "object"), "metadata"), "uid"),
      replayed: replayedAs(text, { request, bases: own, history, complain }),
      effective: !isDenied(request.user) && review["dryRun"] !== true,
    });
  }
  return attempts;
}

/** Those of the model's ways that lead to this review. */
function replayedAs(
  text: string,
  {
    request,
    bases,
    history,
    complain,
  }: {
    readonly request: TracedRequest;
    readonly bases: readonly (TracedEvent | null)[];
    readonly history: TraceHistory;
    readonly complain: (what: string) => void;
  },
): readonly Replayed[] {
  const all = [null, ...history.between(bases[0], bases[1])].map((unseen) => replay(request, bases, unseen));
  const plain = (review: string | null): string =>
    review === null ? "no more" : normaliserOf(bases.at(-1) ?? null).review(review);
  const wanted = plain(text);
  const same = all.filter(({ review }) => plain(review) === wanted);
  const modelled = plain(all[0]?.review ?? null);
  if (same.length === 0) complain(`${textOf(request)}: reviewed as\n  ${wanted}\nand the model would\n  ${modelled}`);
  return same;
}

/** Knows the base, so that its uid and its version are held against each other. */
export function normaliserOf(base: TracedEvent | null): Normaliser {
  const normaliser = new Normaliser();
  if (base !== null) normaliser.event(base.frame);
  return normaliser;
}

/** What it may write, if nobody comes between. */
export function writesOf({ replayed }: Attempted): readonly string[] {
  return replayed.flatMap(({ events }) => events);
}

/** In every way in which it may have gone. */
export function mustWrite({ replayed, effective }: Attempted): boolean {
  return effective && replayed.every(({ events }) => events.length > 0);
}

export function textOf({ number, action, user, request, status }: TracedRequest): string {
  return `request ${number}, ${action} by ${user}, ${request.method} ${request.path} ${JSON.stringify(request.body)}: ${status}`;
}
