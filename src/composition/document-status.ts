/** What stands in the status of rule documents: from what became of them and how recording goes. Pure. */

import type { BranchStatus } from "../../actors/branch-actor.ts";
import type { UpstreamStatus } from "../../actors/upstream-actor.ts";
import type { WatchState } from "../../actors/watch-manager.ts";
import type { Acceptance } from "../config/accept-documents.ts";
import type { RuleDocument } from "../config/documents.ts";
import { aggregationLabel } from "../manifests/names.ts";
import type { ResourceType } from "../../machines/messages.ts";

export interface Condition {
  readonly type: "Ready" | "Synced" | "Pushed";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

export interface DocumentStatus {
  readonly conditions: readonly Condition[];
  readonly rest: Readonly<Record<string, unknown>>;
}

/** How the recording goes, as far as it bears on one document. Absent: there is none of it. */
export interface Surroundings {
  readonly branch?: BranchStatus;
  readonly upstream?: UpstreamStatus;
  /** Of the types that this document wants. */
  readonly watches: readonly WatchState[];
  /** What keeps it from working although it is accepted: a Secret that cannot be read, a right that is missing. */
  readonly trouble: { readonly reason: string; readonly message: string } | null;
  /** Something is recorded at all: a holder of the Lease that has its rules. */
  readonly recording: boolean;
}

const longestMessage = 4096;
/** By which the ClusterRole of an installation takes up the rules of others. */
const [aggregationKey = ""] = Object.keys(aggregationLabel);

/** `around` is of the target that the document is about: a rule is no further than its repository. */
export function documentStatusOf(
  kind: RuleDocument["kind"],
  acceptance: Acceptance,
  around: Surroundings,
): DocumentStatus {
  return kind === "GitRepoConfig" ? repositoryStatusOf(acceptance, around) : ruleStatusOf(acceptance, around);
}

function repositoryStatusOf(acceptance: Acceptance, around: Surroundings): DocumentStatus {
  const { branch, upstream } = around;
  return {
    conditions: [readyOf(acceptance, around), syncedOf(acceptance, around), pushedOf(acceptance, around)],
    rest: {
      ...(branch === undefined || branch.tip === "" ? {} : { lastCommit: branch.tip }),
      ...(branch === undefined || branch.lastCommitMs === null ? {} : { lastCommitTime: timeOf(branch.lastCommitMs) }),
      ...(branch === undefined ? {} : { verdicts: Object.fromEntries(branch.verdicts) }),
      ...(upstream === undefined ? {} : { unpushedCommits: upstream.unpushed }),
      ...(upstream === undefined || upstream.levelAtMs === null ? {} : { lastPushTime: timeOf(upstream.levelAtMs) }),
    },
  };
}

function ruleStatusOf(acceptance: Acceptance, around: Surroundings): DocumentStatus {
  return {
    conditions: [readyOf(acceptance, around), syncedOf(acceptance, around)],
    rest: { watchedTypes: around.watches.map(({ type }) => wordOf(type)).toSorted() },
  };
}

/** `deployments.v1.apps`, as kubectl takes it. */
function wordOf({ resource, version, group }: ResourceType): string {
  return `${resource}.${version}${group === "" ? "" : `.${group}`}`;
}

function readyOf(acceptance: Acceptance, { trouble, recording, branch }: Surroundings): Condition {
  if (acceptance.kind === "refused") return no("Ready", acceptance.reason, acceptance.message);
  if (trouble !== null) return no("Ready", trouble.reason, trouble.message);
  if (!recording) return unknown("Ready", "Starting", "It is accepted, and what records begins.");
  if (branch?.state === "stopped") return no("Ready", "Stopped", branch.lastError?.message ?? "The target stopped.");
  return yes("Ready", "Recording", "It is recorded.");
}

function syncedOf(acceptance: Acceptance, { branch, watches, recording }: Surroundings): Condition {
  if (acceptance.kind === "refused") return no("Synced", "Refused", "It is not followed: see Ready.");
  if (!recording) return unknown("Synced", "Starting", "What records begins.");
  if (branch?.state === "unopened")
    return no("Synced", "Unopened", "The repository could not be read yet: changes wait in the API server's history.");
  if (branch?.lastError !== undefined && branch.lastError !== null && branch.state === "backingOff")
    return no("Synced", "Failing", branch.lastError.message);
  if (branch !== undefined && branch.detachedTypes.length > 0)
    return no("Synced", "CatchingUp", `It catches up with ${branch.detachedTypes.join(", ")}.`);
  const denied = watches.filter(({ trouble }) => trouble === "denied").map(({ type }) => type);
  if (denied.length > 0) return no("Synced", "Forbidden", missingRights(denied));
  const unsynced = watches.filter(({ synced }) => !synced);
  if (unsynced.length > 0) {
    const [first] = unsynced;
    const types = unsynced.map(({ type }) => wordOf(type)).join(", ");
    return no("Synced", "Listing", `Not listed yet: ${types} (${first?.phase ?? ""}).`);
  }
  return yes("Synced", "Synced", "Every change that was seen is committed, or about to be.");
}

/** Nobody grants himself rights: whoever may, applies this. */
function missingRights(types: readonly ResourceType[]): string {
  const rules = [...Map.groupBy(types, ({ group }) => group)].map(([group, all]) => {
    const resources = all.map(({ resource }) => resource).join(", ");
    return `- {apiGroups: [${JSON.stringify(group)}], resources: [${resources}], verbs: [get, list, watch]}`;
  });
  return `This process may not watch ${types.map(wordOf).join(", ")}; add:
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kubescribe-watch-more
  labels: {${aggregationKey}: "true"}
rules:
${rules.join("\n")}`;
}

function pushedOf(acceptance: Acceptance, { upstream, recording }: Surroundings): Condition {
  if (acceptance.kind === "refused") return no("Pushed", "Refused", "It is not followed: see Ready.");
  if (acceptance.document.kind === "GitRepoConfig" && acceptance.document.remote === null)
    return yes("Pushed", "Local", "The repository has no remote.");
  if (!recording || upstream === undefined) return unknown("Pushed", "Starting", "The remote was not reached yet.");
  const { lastError, unpushed, state } = upstream;
  if (state === "level") return yes("Pushed", "Pushed", "The remote has every commit.");
  if (lastError !== null) return no("Pushed", state === "stopped" ? "Stopped" : "Failing", lastError.message);
  return unpushed === 0 || state === "pushing" || state === "resting"
    ? yes("Pushed", "Pushing", "Commits are on their way.")
    : no("Pushed", "Waiting", "Commits wait to be pushed.");
}

function yes(type: Condition["type"], reason: string, message: string): Condition {
  return { type, status: "True", reason, message };
}

function no(type: Condition["type"], reason: string, message: string): Condition {
  return { type, status: "False", reason, message: message.slice(0, longestMessage) };
}

function unknown(type: Condition["type"], reason: string, message: string): Condition {
  return { type, status: "Unknown", reason, message };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
