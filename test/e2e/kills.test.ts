/**
 * A real process, killed with SIGKILL in the middle of what it does to its files and its remote, again and again under load. The moments
 * are picked from outside, by what is seen on disk or asked of the remote: `KUBESCRIBE_KILLS=200` for a long run.
 */

import { readdirSync, rmSync, watch } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { git } from "./history.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";
import { Load } from "./load.ts";

const kills = Number(process.env["KUBESCRIBE_KILLS"] ?? 18);
/** Many: of each, no more than 64 reviews wait for their change where a kill left a lock behind. */
const objects = Array.from({ length: 12 }, (_, at) => `kill-${at}`);
const users = ["alice", "bob", "carol", "dave", "admin"];

/** What it was at when it was killed, and how that is seen: a name in a directory, or a request to the remote. */
const phases = {
  "writing the journal": { below: "data/journal", name: /\.log$/ },
  "writing a pack": { below: "mirror/objects/pack", name: /^tmp_pack_kubescribe_.*history$/ },
  "naming a pack": { below: "mirror/objects/pack", name: /^pack-.*\.idx$/ },
  "moving the branch": { below: "mirror/refs/heads", name: /^main/ },
  "moving the state ref": { below: "mirror/refs/kubescribe", name: /history/ },
  "joining packs": { below: "mirror/objects/pack", name: /^tmp_pack_kubescribe_.*history$/, packs: 50 },
  "building anew": { below: "mirror/objects/pack", name: /rebuilt/ },
  pushing: { request: /git-receive-pack$/ },
  "noting what was pushed": { below: "mirror/refs/upstream/heads", name: /^main/ },
} as const;
type Phase = keyof typeof phases;

let plane: ControlPlane;
let backend: HttpBackend;
let kubescribe: Kubescribe;
let onRequest: ((url: string) => void) | null = null;

beforeAll(async () => {
  plane = await startControlPlane({ numberedUsers: 0 });
  const root = join(plane.directory, "remotes");
  const path = join(root, "history.git");
  await git("/", ["init", "-q", "--bare", "-b", "main", path]);
  await git(path, ["config", "http.receivepack", "true"]);
  backend = await HttpBackend.start({
    root,
    intercept: ({ method, url = "" }) => {
      if (method === "POST") onRequest?.(url);
      return false;
    },
  });
  const remote = { url: backend.url("history.git"), path };
  const repositorySpec = { push: { intervalSeconds: 0 } };
  kubescribe = await startKubescribe(plane, {
    types: [{ apiGroups: [""], resources: ["configmaps"] }],
    remote,
    repositorySpec,
  });
  await kubescribe.installWebhook();
});

afterAll(async () => {
  await kubescribe[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

test(`nothing is lost, doubled or miscredited over ${kills} kills`, { timeout: 120_000 + kills * 20_000 }, async () => {
  const load = await Load.start(plane, objects, users);
  const names = Object.keys(phases) as Phase[];
  const counts = new Map<string, number>();
  for (let at = 0; at < kills; at += 1) {
    const phase = names[at % names.length] ?? "pushing";
    await load.acknowledged(5);
    const struck = await killIn(phase, load);
    counts.set(struck, (counts.get(struck) ?? 0) + 1);
    await kubescribe.start();
    await kubescribe.reviewed();
    load.reviewing = true;
  }
  await load.acknowledged(10);
  await load.stop();
  console.log(Array.from(counts, ([phase, count]) => `killed while ${phase}: ${count}`).join("\n"));
  const level = async (): Promise<true | undefined> =>
    (await kubescribe.metric("unpushed_commits", 'target="default/history"')) === 0 ? true : undefined;
  await eventually(level, { what: "everything pushed" });
  expect(await load.judge(kubescribe, { gaps: false })).toEqual([]);
  await kubescribe.assertSound();
  const [mirror = ""] = readdirSync(join(kubescribe.dataDir, "mirrors"));
  await git(join(kubescribe.dataDir, "mirrors", mirror), ["fsck", "--strict", "--no-dangling"]);
  expect(counts.size).toBeGreaterThanOrEqual(names.length - 1);
});

/** Resolves, once the process has ended, to what it was at: `something`, where the moment did not come in time. */
async function killIn(phase: Phase, load: Load): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const strike = (what: string): void => {
    load.reviewing = false;
    kubescribe.kill();
    resolve(what);
  };
  using stack = new DisposableStack();
  const spec = phases[phase];
  if ("request" in spec) {
    onRequest = (url) => spec.request.test(url) && strike(phase);
    stack.defer(() => {
      onRequest = null;
    });
  } else {
    const directory = placeOf(spec.below);
    const watcher = watch(directory, { recursive: true }, (_, name) => {
      if (!spec.name.test(name?.split("/").at(-1) ?? "")) return;
      if ("packs" in spec && readdirSync(directory).filter((each) => each.endsWith(".pack")).length < spec.packs)
        return;
      strike(phase);
    });
    stack.defer(() => watcher.close());
  }
  if (phase === "building anew") await pushByHand();
  const patience = new AbortController();
  stack.defer(() => patience.abort());
  void delay(15_000, null, { signal: patience.signal }).then(
    () => strike("something"),
    () => undefined,
  );
  const struck = await promise;
  await kubescribe.kill9();
  return struck;
}

function placeOf(below: string): string {
  const [first, ...rest] = below.split("/");
  if (first === "data") return join(kubescribe.dataDir, ...rest);
  const [mirror = ""] = readdirSync(join(kubescribe.dataDir, "mirrors"));
  return join(kubescribe.dataDir, "mirrors", mirror, ...rest);
}

let clones = 0;

/** Somebody else, who tries until nobody is faster. */
async function pushByHand(): Promise<void> {
  const clone = join(plane.directory, `by-hand-${(clones += 1)}`);
  const identity = ["-c", "user.name=mallory", "-c", "user.email=mallory@example.com"];
  await git("/", ["clone", "-q", "--depth=1", `file://${kubescribe.repository}`, clone]);
  await mkdir(join(clone, "notes"), { recursive: true });
  await writeFile(join(clone, "notes", `${clones}.md`), "mine\n");
  await git(clone, ["add", "."]);
  await git(clone, [...identity, "commit", "-q", "-m", "by hand"]);
  const attempt = async (): Promise<true | undefined> => {
    await git(clone, [...identity, "pull", "-q", "--rebase"]);
    return git(clone, ["push", "-q"]).then(
      () => true,
      () => undefined,
    );
  };
  await eventually(attempt, { what: "a push of somebody else" });
  rmSync(clone, { recursive: true });
}
