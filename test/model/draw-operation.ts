/** Random operations of every kind that the comparison is about, on few names: most of what they meet is somebody else's work. */

import { arrayAt, objectAt, withMembers } from "../../src/simulator/json.ts";
import { deniedUsers } from "../storm/denier.ts";
import type { SeededRandom } from "../storm/random.ts";
import { Draft } from "./draft.ts";
import { modelKinds } from "./model-kinds.ts";
import type { Operation } from "./operation.ts";

/** How often each is drawn, in parts of the sum. */
const WEIGHTS = {
  create: 14,
  generate: 3,
  put: 7,
  replace: 7,
  stale: 3,
  "other uid": 1,
  merge: 9,
  json: 5,
  apply: 6,
  "forced apply": 6,
  scale: 6,
  "scale replaced": 4,
  status: 5,
  "status replaced": 3,
  hold: 5,
  release: 7,
  delete: 9,
  "delete if": 4,
  "delete all": 1,
  "no-op": 4,
};

export type Action = keyof typeof WEIGHTS;
export const actions = Object.keys(WEIGHTS) as readonly Action[];
const SUM = Object.values(WEIGHTS).reduce((total, weight) => total + weight, 0);

/** Of all operations; what meets nothing is not sent. */
export function shareOf(action: Action): number {
  return WEIGHTS[action] / SUM;
}

const USERS = ["alice", "bob", "carol"];
const DENIED_SHARE = 0.04;
const NO_UID = "00000000-0000-4000-8000-000000000000";

type Parts = Pick<Operation, "reads" | "make">;

export function drawOperation(random: SeededRandom): Operation {
  const action = drawAction(random);
  const able = modelKinds.filter(
    ({ scalable, status }) =>
      (scalable || !action.startsWith("scale")) && (status !== null || !action.startsWith("status")),
  );
  const kind = random.pick(able);
  // Which object of a deletecollection is refused first is chance where names are generated.
  const refused = random.chance(DENIED_SHARE) && action !== "delete all";
  const user = refused ? random.pick(deniedUsers) : random.pick(USERS);
  return { action, kind, user, ...partsOf(action, new Draft(random, kind)) };
}

function drawAction(random: SeededRandom): Action {
  let left = random.next() * SUM;
  for (const action of actions) {
    left -= WEIGHTS[action];
    if (left < 0) return action;
  }
  return "merge";
}

function partsOf(action: Action, draft: Draft): Parts {
  switch (action) {
    case "create":
      return fixed(draft.post(draft.object({ name: draft.name })));
    case "generate":
      return fixed(draft.post(draft.object({ generateName: "made-" })));
    case "put":
      return fixed(draft.put(draft.object({ name: draft.name })));
    case "other uid":
      return fixed(draft.put(draft.object({ name: draft.name, uid: NO_UID })));
    case "replace":
      return replaced(draft, false);
    case "no-op":
      return replaced(draft, true);
    case "stale":
      return { reads: draft.path, make: ({ older }) => older && draft.put(draft.changed(older)) };
    case "merge":
      return fixed(draft.merge(draft.mergePatch()));
    case "json":
      return fixed(draft.json(draft.jsonPatch()));
    case "apply":
      return fixed(draft.apply(false));
    case "forced apply":
      return fixed(draft.apply(true));
    case "scale":
      return fixed(draft.merge(draft.scale, "/scale"));
    case "scale replaced":
      return scaleReplaced(draft);
    case "status":
      return fixed(draft.merge(draft.statusPatch(), "/status"));
    case "status replaced":
      return { reads: draft.path, make: ({ current }) => current && draft.put(draft.withStatus(current), "/status") };
    case "hold":
      return fixed(draft.merge({ metadata: { finalizers: draft.finalizers } }));
    case "release":
      return released(draft);
    case "delete":
      return fixed(draft.delete({}));
    case "delete if":
      return deletedIf(draft);
    case "delete all":
      return fixed(draft.deleteAll());
    default:
      return action satisfies never;
  }
}

function fixed(request: ReturnType<Draft["put"]>): Parts {
  return { reads: "", make: () => request };
}

/** Reads, changes, writes back: with the version that was read, or without; with its managedFields, or without. */
function replaced(draft: Draft, unchanged: boolean): Parts {
  const { random, kind } = draft;
  const conditional = !kind.blindPut || random.chance(0.6);
  const managed = random.chance(0.7);
  return {
    reads: draft.path,
    make: ({ current }) => {
      if (current === null) return null;
      const body = unchanged ? current : draft.changed(current);
      const metadata = withMembers(objectAt(body, "metadata"), {
        ...(conditional ? {} : { resourceVersion: undefined }),
        ...(managed ? {} : { managedFields: undefined }),
      });
      return draft.put({ ...body, metadata });
    },
  };
}

function scaleReplaced(draft: Draft): Parts {
  const conditional = draft.random.chance(0.5);
  return {
    reads: `${draft.path}/scale`,
    make: ({ current }) => {
      if (current === null) return null;
      const own = objectAt(current, "metadata");
      const metadata = conditional ? own : withMembers(own, { resourceVersion: undefined });
      return draft.put({ ...current, metadata, ...draft.scale }, "/scale");
    },
  };
}

function released(draft: Draft): Parts {
  if (draft.random.chance(0.6)) return fixed(draft.merge({ metadata: { finalizers: null } }));
  const all = draft.random.chance(0.5);
  return {
    reads: draft.path,
    make: ({ current }) => {
      if (current === null) return null;
      const metadata = objectAt(current, "metadata");
      const left = all ? [] : arrayAt(metadata, "finalizers").slice(1);
      const finalizers = left.length === 0 ? undefined : left;
      return draft.put({ ...current, metadata: withMembers(metadata, { finalizers }) });
    },
  };
}

function deletedIf(draft: Draft): Parts {
  const fresh = draft.random.chance(0.6);
  const byUid = draft.random.chance(0.5);
  return {
    reads: draft.path,
    make: ({ current, older }) => {
      const of = fresh ? current : older;
      if (of === null) return null;
      const { uid = "", resourceVersion = "" } = objectAt(of, "metadata");
      return draft.delete({ preconditions: byUid ? { uid } : { resourceVersion } });
    },
  };
}
