/** Every built-in type, created, written in every way and version, and deleted, by many users: docs/TYPES.md is what comes of it. */

import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { nodeClock } from "../../src/composition/node-clock.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { connectApiServer } from "../../src/kubernetes/api-server.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import type { Commit } from "./history.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";
import { apply, applyAll, checkOut, figuresOf, readFiles, refusals, replacements, unexpected } from "./types-apply.ts";
import { type Catalogue, namespace, readCatalogue, watchedTypes } from "./types-catalogue.ts";
import { expectedOf, exceptionOf, exceptions, type Outcome } from "./types-expected.ts";
import { type Attempt, deleteAll, writeAll } from "./types-operations.ts";
import { generate, stories, tell } from "./types-subresources.ts";
import { type Seen, typesDocument } from "./types-table.ts";

const everythingOn = ["--runtime-config=api/all=true", "--feature-gates=AllAlpha=true,AllBeta=true"];

const quietMs = 2000;

describe("every built-in type", () => {
  let plane: ControlPlane;
  let kubescribe: Kubescribe;
  let catalogue: Catalogue;
  let attempts: readonly Attempt[] = [];
  let headBeforeDeletions = "";
  /** Version of the first object that was written with the webhook in place: of one etcd, so that all types compare. */
  let reviewedSince = 0n;

  beforeAll(async () => {
    plane = await startControlPlane({ apiServerArgs: everythingOn, controllers: true });
    const kubeconfig = plane.kubeconfig("admin");
    await using api = await connectApiServer({
      kubeconfig,
      clock: nodeClock,
      files: createNodeFileSystem(),
      meter: new FakeMeter(),
      log: new FakeLog(),
    });
    catalogue = await readCatalogue(api, new AbortController().signal);
    const types = watchedTypes(catalogue.types).map(({ group, version, resource }) => ({
      apiGroups: [group],
      apiVersions: [version],
      resources: [resource],
    }));
    kubescribe = await startKubescribe(plane, { types });
    await kubescribe.installWebhook();
    const made = await plane.request("admin", "POST", "/api/v1/namespaces", { metadata: { name: namespace } });
    expect(made.status).toBe(201);
    reviewedSince = BigInt((made.json()["metadata"] as { readonly resourceVersion: string }).resourceVersion);
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    await eventually(async () => ((await plane.request("admin", "GET", account)).status === 200 ? true : undefined));
    const writes = await writeAll(plane, catalogue.subjects);
    await allCommitted(kubescribe, writes);
    headBeforeDeletions = await settled(kubescribe);
    const created = writes.filter(({ operation, outcome }) => operation === "create" && outcome.kind === "written");
    const deletions = await deleteAll(plane, created);
    await allCommitted(kubescribe, deletions);
    attempts = [...writes, ...deletions];
  });

  afterAll(async () => {
    await kubescribe[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("has an object here that can be created", () => {
    const unmade = attempts.filter(({ operation, outcome }) => operation === "create" && outcome.kind !== "written");
    expect(catalogue.missing, "put a minimal object for each into test/e2e/type-objects").toEqual([]);
    expect(unmade.map((attempt) => [nameOf(attempt), attempt.outcome])).toEqual([]);
  });

  test("is committed once for each write, as told in docs/TYPES.md", async () => {
    const commits = changesOf(await kubescribe.commits());
    const seen = attempts.map((attempt): Seen => ({ attempt, outcome: outcomeOf(attempt, commits) }));
    const surprises = seen.filter(({ attempt, outcome }) => !expectedOf(attempt).includes(outcome));
    const said = surprises.map(({ attempt, outcome }) => [nameOf(attempt), outcome, attempt.outcome]);
    expect(said, "put what is right into types-expected.ts, with its reason").toEqual([]);
    const borneOut = new Set(seen.map(({ attempt }) => exceptionOf(attempt)));
    expect(exceptions.filter((exception) => !borneOut.has(exception))).toEqual([]);
    await expect(typesDocument(seen)).toMatchFileSnapshot("../../docs/TYPES.md");
  });

  test("is written through side doors as well, and the commits tell the truth", async () => {
    const told = await tell(plane, kubescribe);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(stories.map((story) => [story.title, story.told])));
    expect(await generate(plane, kubescribe)).toMatchObject([{ operation: "CREATE", tier: "exact", user: "carol" }]);
  });

  test("never gets a wrong author, nor a field manager that is not the author's", async () => {
    const commits = changesOf(await kubescribe.commits());
    const ours = new Map(attempts.map((attempt) => [keyOf(attempt), attempt]));
    const audited = await writersOf(plane);
    const wrong: string[] = [];
    for (const commit of commits) {
      const key = commit.operation === "DELETE" ? `${commit.uid} gone` : `${commit.uid} ${commit.resourceVersion}`;
      const attempt = ours.get(key);
      const writers = attempt === undefined ? audited.get(key) : new Set([attempt.user]);
      const named = commit.tier !== "unresolved";
      const right = named ? writers?.has(commit.user) === true : commit.user === "unresolved";
      const manager = !named || attempt === undefined || commit.fieldManager === attempt.fieldManager;
      if (!right || !manager)
        wrong.push(`${commit.subject}: ${commit.user} by ${commit.fieldManager}, not ${[...(writers ?? [])].join()}`);
    }
    expect(wrong).toEqual([]);
    const others = commits.filter(
      ({ tier, resource, operation, resourceVersion }) =>
        tier === "unresolved" &&
        BigInt(resourceVersion) > reviewedSince &&
        !resource.startsWith("admissionregistration.k8s.io/") &&
        !isRightlyUnresolved(`${operation} ${resource}`),
    );
    expect(others.map(({ subject }) => subject)).toEqual([]);
    await kubescribe.assertSound();
  });

  test("has a file that applies to an empty cluster and comes back the same", async () => {
    const directory = join(plane.directory, "checkout");
    checkOut(kubescribe.repository, headBeforeDeletions, directory);
    const files = readFiles(join(directory, "cluster"), catalogue.types);
    // Gone, so that the webhook configuration among the files leads nowhere.
    await kubescribe.kill9();
    await using empty = await startControlPlane({
      numberedUsers: 0,
      apiServerArgs: [...everythingOn, "--service-cluster-ip-range=10.96.0.0/16"],
    });
    const { refused, different } = await applyAll(empty, files);
    console.log(figuresOf({ files, refused, different }));
    expect(unexpected(refused, refusals)).toEqual([]);
    expect(unexpected(different, replacements)).toEqual([]);
    expect(refused.size, "each of them for its own reason").toBe(refusals.length);

    const secret = files.find(({ path }) => path === `${namespace}/core/secrets/secret.yaml`);
    if (secret === undefined) throw new Error("The Secret has no file.");
    const real = { metadata: { name: "secret" }, stringData: { password: "hunter2" } };
    await empty.request("admin", "POST", secret.url.slice(0, secret.url.lastIndexOf("/")), real);
    const again = await apply(empty, secret);
    expect([again.status, again.text]).toEqual([500, expect.stringContaining("illegal base64 data")]);
    expect((await empty.request("admin", "GET", secret.url)).text).toContain(btoa("hunter2"));
  });
});

/** By the API server itself: Endpoints with their Service (K39), a Pod for its eviction (K18). */
function isRightlyUnresolved(what: string): boolean {
  return what.startsWith("DELETE core/v1/endpoints ") || what === `DELETE core/v1/pods ${namespace}/evicted`;
}

/** Each write that moved the version and marked the object must come; what is still missing after a while fails the tests. */
async function allCommitted(kubescribe: Kubescribe, attempts: readonly Attempt[]): Promise<void> {
  await eventually(
    async () => {
      const commits = changesOf(await kubescribe.commits());
      const seen = new Set(commits.flatMap((commit) => [`${commit.uid} ${commit.resourceVersion}`, goneKeyOf(commit)]));
      return attempts.every((attempt) => attempt.outcome.kind !== "written" || seen.has(keyOf(attempt)))
        ? true
        : undefined;
    },
    { everyMs: 300, what: "a commit for each write" },
  ).catch((error: unknown) => console.error(error));
}

/** The head, when the controllers have done what they had to: no commit for a while. */
async function settled(kubescribe: Kubescribe): Promise<string> {
  let head = "";
  await eventually(
    async () => {
      const before = head;
      head = (await kubescribe.commits()).at(-1)?.sha ?? "";
      return head === before ? true : undefined;
    },
    { everyMs: quietMs, timeoutMs: 30_000, what: "the end of the controllers' work" },
  );
  return head;
}

function changesOf(commits: readonly Commit[]): readonly Commit[] {
  return commits.filter(({ kind }) => kind === "");
}

function keyOf({ operation, outcome }: Attempt): string {
  if (outcome.kind !== "written") return "";
  return operation === "delete" ? `${outcome.uid} gone` : `${outcome.uid} ${outcome.resourceVersion}`;
}

function goneKeyOf({ operation, uid }: Commit): string {
  return operation === "DELETE" ? `${uid} gone` : "";
}

function outcomeOf(attempt: Attempt, commits: readonly Commit[]): Outcome {
  if (attempt.outcome.kind !== "written") return attempt.outcome.kind;
  const key = keyOf(attempt);
  const found = commits.filter(
    (commit) => `${commit.uid} ${commit.resourceVersion}` === key || goneKeyOf(commit) === key,
  );
  const [commit] = found;
  if (commit === undefined || found.length > 1) throw new Error(`${nameOf(attempt)} has ${found.length} commits.`);
  return commit.tier as Outcome;
}

function nameOf({ subject, operation }: Attempt): string {
  return `${operation} ${subject.type} ${subject.apiVersion} ${subject.manifest.metadata.name}`;
}

/** What the audit log knows of writes that are not the test's own: `UID VERSION` and `UID gone`, by whom. */
async function writersOf(plane: ControlPlane): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const writers = new Map<string, Set<string>>();
  for await (const { responseObject, responseStatus, user, verb, objectRef } of plane.auditEvents()) {
    if (responseObject === undefined || (responseStatus?.code ?? 500) >= 300) continue;
    const { metadata, details, items } = responseObject as {
      readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string };
      readonly details?: { readonly uid?: string };
      readonly items?: readonly { readonly metadata: { readonly uid: string } }[];
    };
    const uid = metadata?.uid ?? details?.uid ?? objectRef?.uid ?? "";
    const keys =
      verb === "deletecollection"
        ? (items ?? []).map((item) => `${item.metadata.uid} gone`)
        : [verb === "delete" ? `${uid} gone` : `${uid} ${metadata?.resourceVersion ?? ""}`];
    for (const key of keys) writers.set(key, (writers.get(key) ?? new Set()).add(user.username));
  }
  return writers;
}
