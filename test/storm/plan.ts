/** What each user does, one request after the other: the same for the same seed, whatever the cluster answers. */

import { kinds, names, type StormKind } from "./kinds.ts";
import { seededRandom } from "./random.ts";

/** How often each is drawn, in parts of the sum. */
const weights = {
  create: 14,
  generate: 4,
  put: 11,
  replace: 12,
  stale: 2,
  merge: 13,
  json: 8,
  forcedApply: 6,
  apply: 5,
  /** Without a marker, few values, one field manager for all: several users may write equal bytes. */
  unmarked: 2,
  scale: 6,
  status: 5,
  finalize: 3,
  release: 5,
  remove: 8,
  removeAll: 0.6,
  noop: 4,
};

export type Action = keyof typeof weights;

export interface PlannedRequest {
  readonly action: Action;
  readonly kind: StormKind;
  readonly name: string;
  /** `user/sequence`: no two requests of a storm have the same. */
  readonly marker: string;
  readonly dryRun: boolean;
  /** Field manager: the user's own, or one that all share. */
  readonly fieldManager: string;
  readonly server: number;
  /** What the request is made from, uniform in [0, 1). */
  readonly draw: number;
}

const dryRunShare = 0.04;
const sharedManagerShare = 0.5;

export function* planOf(options: {
  readonly seed: number;
  readonly user: string;
  readonly servers: number;
}): Generator<PlannedRequest, never> {
  const random = seededRandom(options.seed, options.user);
  for (let sequence = 1; ; sequence += 1) {
    const action = drawAction(random.next());
    const able = kinds.filter((kind) => isAble(kind, action));
    yield {
      action,
      kind: random.pick(able),
      name: random.pick(names),
      marker: `${options.user}/${sequence}`,
      dryRun: random.chance(dryRunShare),
      fieldManager: random.chance(sharedManagerShare) || action === "unmarked" ? "storm" : options.user,
      server: random.below(options.servers),
      draw: random.next(),
    };
  }
}

const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);

function drawAction(draw: number): Action {
  let left = draw * sum;
  for (const action of Object.keys(weights) as Action[]) {
    left -= weights[action];
    if (left < 0) return action;
  }
  return "merge";
}

function isAble(kind: StormKind, action: Action): boolean {
  if (action === "scale") return kind.scalable;
  return action !== "status" || kind.status !== null;
}
