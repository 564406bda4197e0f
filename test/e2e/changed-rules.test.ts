/** Two lives of `kubescribe run` with different rules, against a real API server: no change of a rule reads as what somebody did. */

import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import type { Commit } from "./history.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";

interface Scope {
  readonly namespaces?: readonly string[];
  readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly resources?: readonly string[];
}

let plane: ControlPlane;
let kubescribe: Kubescribe;
let round = 0;

beforeAll(async () => {
  plane = await startControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

beforeEach(() => {
  round += 1;
});

async function begin(scope: Scope): Promise<void> {
  kubescribe = await startKubescribe(plane, {
    types: [{ apiGroups: [""], resources: ["configmaps", "secrets"] }],
    name: `rules-${round}`,
  });
  await kubescribe.installWebhook();
  await restartWith(scope);
}

/** The files are those of this round's namespaces alone. */
async function restartWith(scope: Scope): Promise<void> {
  await kubescribe.stop();
  changeRules(scope);
  await kubescribe.start();
  await kubescribe.reviewed();
}

function changeRules({ namespaces, selector, resources = ["configmaps"] }: Scope): void {
  const apiVersion = "kubescribe.dev/v1alpha1";
  const repository = {
    apiVersion,
    kind: "GitRepoConfig",
    metadata: { name: "history", namespace: "default" },
    spec: { url: `file://${kubescribe.repository}`, branch: "main", path: "cluster" },
  };
  const rule = {
    apiVersion,
    kind: "ClusterWatchRule",
    metadata: { name: "everything" },
    spec: {
      repo: { name: "history", namespace: "default" },
      rules: [{ apiGroups: [""], apiVersions: ["v1"], resources }],
      ...(namespaces === undefined ? {} : { namespaces }),
      ...(selector === undefined ? {} : { selector }),
    },
  };
  writeFileSync(kubescribe.rulesFile, [repository, rule].map((each) => `${JSON.stringify(each)}\n`).join("---\n"));
}

const nameOf = (namespace: string): string => `${namespace}-${round}`;
const mapsOf = (namespace: string): string => `/api/v1/namespaces/${nameOf(namespace)}/configmaps`;

async function makeNamespaces(): Promise<void> {
  for (const namespace of ["red", "blue"])
    expect(await plane.kubectl("admin", ["create", "namespace", nameOf(namespace)])).toMatchObject({ code: 0 });
}

async function create(user: string, namespace: string, name: string, team = "x"): Promise<void> {
  const body = { metadata: { name, labels: { team } }, data: { text: "one", more: "lines" } };
  expect((await plane.request(user, "POST", mapsOf(namespace), body)).status).toBe(201);
}

async function patch(user: string, namespace: string, name: string, body: object): Promise<void> {
  expect((await plane.request(user, "PATCH", `${mapsOf(namespace)}/${name}`, body)).status).toBe(200);
}

async function remove(user: string, namespace: string, name: string): Promise<void> {
  expect((await plane.request(user, "DELETE", `${mapsOf(namespace)}/${name}`)).status).toBe(200);
}

/** `alice: M red/a`; of this round's namespaces alone. */
function linesOf(commits: readonly Commit[]): readonly string[] {
  const ours = new RegExp(`^(\\w) cluster/(red|blue)-${round}/core/configmaps/(.+)\\.yaml$`);
  return commits.flatMap(({ authorName, kind, tier, changes }) => {
    const lines = changes.flatMap((change) => {
      const [, status, namespace, name] = ours.exec(change) ?? [];
      return name === undefined ? [] : [`${status} ${namespace}/${name}`];
    });
    const by = kind === "" ? `${authorName} ${tier}` : kind;
    return lines.length === 0 ? [] : [`${by}: ${lines.toSorted().join(", ")}`];
  });
}

/** Resolves to all of them once there are so many. */
async function told(count: number): Promise<readonly string[]> {
  let lines: readonly string[] = [];
  await eventually(async () => ((lines = linesOf(await kubescribe.commits())).length >= count ? true : undefined), {
    what: `${count} commits`,
  }).catch(() => null);
  return lines;
}

describe("rules that change between two lives", () => {
  test("namespaces are widened and narrowed: the tree follows at once, and each author keeps to his own", async () => {
    await makeNamespaces();
    await begin({ namespaces: [nameOf("red")] });
    await create("alice", "red", "a");
    await create("alice", "blue", "b");
    const first = ["alice exact: A red/a"];
    expect(await told(1)).toEqual(first);
    await restartWith({});
    const widened = [...first, "format: A blue/b"];
    expect(await told(2)).toEqual(widened);
    await patch("bob", "blue", "b", { data: { text: "two" } });
    const changed = [...widened, "bob exact: M blue/b"];
    expect(await told(3)).toEqual(changed);
    await restartWith({ namespaces: [nameOf("blue")] });
    const narrowed = [...changed, "format: D red/a"];
    expect(await told(4)).toEqual(narrowed);
    // Nothing of what is no longer selected is a commit.
    await patch("carol", "red", "a", { data: { text: "three" } });
    await remove("carol", "red", "a");
    await patch("dave", "blue", "b", { data: { text: "three" } });
    expect(await told(5)).toEqual([...narrowed, "dave exact: M blue/b"]);
    await kubescribe.assertSound();
    await kubescribe[Symbol.asyncDispose]();
  });

  test("a selector comes and goes, while nobody watches objects enter, leave and end", async () => {
    await makeNamespaces();
    await begin({});
    for (const name of ["stays", "leaves", "ends"]) await create("alice", "red", name);
    await create("alice", "red", "other", "y");
    const first = ["stays", "leaves", "ends", "other"].map((name) => `alice exact: A red/${name}`);
    expect(await told(4)).toEqual(first);
    await kubescribe.kill9();
    await patch("bob", "red", "stays", { data: { text: "two" } });
    await patch("bob", "red", "leaves", { metadata: { labels: { team: "y" } } });
    await remove("bob", "red", "ends");
    await patch("bob", "red", "other", { data: { text: "two" } });
    changeRules({ selector: { matchLabels: { team: "x" } } });
    await kubescribe.start();
    // The rule's doing is a commit of its own; what leaves by its label leaves in the change of it.
    const selected = [
      ...first,
      "format: D red/other",
      "unresolved unresolved: M red/stays",
      "unresolved unresolved: D red/leaves",
      "unresolved unresolved: D red/ends",
    ];
    expect(await told(8)).toEqual(selected);
    await restartWith({});
    expect(await told(9)).toEqual([...selected, "format: A red/leaves, A red/other"]);
    await kubescribe.assertSound();
    await kubescribe[Symbol.asyncDispose]();
  });

  test("a type is left out for a time, and goes on where it was, or at a list where that is forgotten", async () => {
    await makeNamespaces();
    await begin({});
    await create("alice", "red", "a");
    await create("alice", "red", "b");
    expect(await told(2)).toEqual(["alice exact: A red/a", "alice exact: A red/b"]);
    await restartWith({ resources: ["secrets"] });
    await patch("bob", "red", "a", { data: { text: "two" } });
    await restartWith({});
    const resumed = ["alice exact: A red/a", "alice exact: A red/b", "unresolved unresolved: M red/a"];
    // Its review may still be in the journal: the change has the author that it proves.
    expect((await told(3)).map((line) => line.replace(/^bob exact/, "unresolved unresolved"))).toEqual(resumed);
    await restartWith({ resources: ["secrets"], namespaces: [nameOf("red")] });
    await patch("bob", "red", "a", { data: { text: "three" } });
    await patch("bob", "red", "a", { data: { text: "four" } });
    await remove("carol", "red", "b");
    await create("alice", "blue", "c");
    await kubescribe.stop();
    await plane.compact();
    await plane.stopApiServer(0);
    await plane.startApiServer(0);
    changeRules({ namespaces: [nameOf("red")] });
    await kubescribe.start();
    const after = (await told(5)).slice(3);
    expect(after).toHaveLength(2);
    expect(after.some((line) => line.endsWith(": M red/a"))).toBe(true);
    expect(after.some((line) => line.endsWith(": D red/b"))).toBe(true);
    await patch("dave", "red", "a", { data: { text: "five" } });
    await kubescribe.reviewed();
    expect((await told(6)).slice(5)).toEqual([expect.stringMatching(/: M red\/a$/)]);
    await kubescribe.assertSound();
    await kubescribe[Symbol.asyncDispose]();
  });
});
