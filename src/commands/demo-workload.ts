/**
 * The demo's story: acts of named users, each a few requests over HTTPS. It counts what the API server answered and knows
 * nothing of the product.
 */

import type { User } from "../simulator/review.ts";
import type { Call, Reply } from "./demo-client.ts";
import { ALICE, BOB, CAROL, CLEANER, CROWD, DEPLOYER, DEPLOYMENT_CONTROLLER } from "./demo-people.ts";

export interface Stage {
  call(call: Call): Promise<Reply>;
  /** False: the API server cannot reach the webhook. */
  setWebhookReachable(reachable: boolean): void;
  /** What a second admission webhook says: a message denies. */
  setDenial(deny: ((user: string, operation: string, name: string) => string | null) | null): void;
}

export interface Act {
  readonly title: string;
  /** What the act is to show. */
  readonly expectation: string;
  readonly run: (stage: Stage) => Promise<readonly Outcome[]>;
}

/** What a request was meant for, and whether the API server answered as meant. */
export interface Outcome {
  readonly purpose: "write" | "failing" | "no-op" | "status";
  readonly asMeant: boolean;
  readonly detail: string;
}

const SHOP = "/api/v1/namespaces/shop";
const APPS = "/apis/apps/v1/namespaces/shop/deployments";
const WIDGETS = "/apis/example.com/v1/namespaces/shop/widgets";
const SETTINGS = `${SHOP}/configmaps/shop-settings`;

export const ACTS: readonly Act[] = [
  { title: "Ordinary changes", expectation: "one commit each, by whoever made it", run: ordinaryChanges },
  { title: "Ten people change one resource within a second", expectation: "ten commits, ten authors", run: crowd },
  {
    title: "Two people at once: a lost swap is tried again",
    expectation: "the loser is reviewed again; two commits, two authors",
    run: race,
  },
  { title: "Scaling", expectation: "seen only through /scale, credited all the same", run: scaling },
  { title: "Writes that fail", expectation: "denied, stale, dry runs: no commit", run: failures },
  { title: "Writes that change nothing, and status", expectation: "no commit", run: nothing },
  { title: "The webhook is unreachable", expectation: "committed, and honestly unresolved", run: blind },
  { title: "Deletions, with finalizers too", expectation: "credited to whoever asked", run: deletions },
];

/** What stands in the cluster before kubescribe looks: the snapshot commit. */
export async function setTheStage(call: Stage["call"], admin: User): Promise<void> {
  const bodies: readonly (readonly [string, object])[] = [
    ["/api/v1/namespaces", { metadata: { name: "shop" } }],
    [`${SHOP}/configmaps`, { metadata: { name: "shop-settings" }, data: { theme: "light", currency: "EUR" } }],
    [`${SHOP}/configmaps`, { metadata: { name: "feature-flags" }, data: { checkout: "v1" } }],
    [`${SHOP}/services`, { metadata: { name: "web" }, spec: { selector: { app: "web" }, ports: [{ port: 80 }] } }],
    [APPS, deployment("web", "1.0.0")],
  ];
  for (const [path, body] of bodies) {
    const reply = await call({ user: admin, method: "POST", path, body, fieldManager: "kubectl-create" });
    if (reply.status !== 201) throw new Error(`expected 201 for POST ${path}, found ${reply.status}: ${reply.body}`);
  }
}

async function ordinaryChanges(stage: Stage): Promise<readonly Outcome[]> {
  const image = (version: string) => ({
    spec: { template: { spec: { containers: [{ name: "main", image: `registry.example.com/web:${version}` }] } } },
  });
  return inTurn(stage, [
    write(ALICE, "PATCH", SETTINGS, { data: { theme: "dark" } }),
    write(BOB, "POST", APPS, deployment("worker", "0.9.1")),
    write(CAROL, "POST", `${SHOP}/secrets`, { metadata: { name: "api-token" }, stringData: { token: "s3cr3t" } }),
    write(DEPLOYER, "PATCH", `${APPS}/web`, image("1.1.0"), "deploy-pipeline"),
    write(CAROL, "PATCH", `${SHOP}/services/web`, { metadata: { labels: { tier: "frontend" } } }),
    write(BOB, "POST", WIDGETS, { ...custom("loyalty"), spec: { points: 1000, note: "naïve ☕\nsecond line" } }),
    write(DEPLOYER, "POST", `${SHOP}/configmaps`, { metadata: { generateName: "release-" }, data: { sha: "9f2c1e" } }),
    write(DEPLOYER, "PATCH", `${APPS}/web`, image("1.2.0"), "deploy-pipeline"),
    write(ALICE, "PATCH", `${APPS}/worker`, { metadata: { annotations: { "example.com/owner": "alice" } } }),
  ]);
}

async function crowd(stage: Stage): Promise<readonly Outcome[]> {
  return atOnce(
    stage,
    CROWD.map((user, index) =>
      write(user, "PATCH", `${SHOP}/configmaps/feature-flags`, { data: { [`vote-${index + 1}`]: user.name } }),
    ),
  );
}

async function race(stage: Stage): Promise<readonly Outcome[]> {
  return atOnce(stage, [
    write(ALICE, "PATCH", SETTINGS, { data: { banner: "spring sale" } }),
    write(BOB, "PATCH", SETTINGS, { data: { banner: "summer sale" } }),
  ]);
}

async function scaling(stage: Stage): Promise<readonly Outcome[]> {
  const to = (replicas: number) => ({ spec: { replicas } });
  return inTurn(stage, [
    write(BOB, "PATCH", `${APPS}/web/scale`, to(5), "kubectl"),
    write(DEPLOYER, "PATCH", `${APPS}/worker/scale`, to(3), "kubectl"),
    write(BOB, "PATCH", `${APPS}/worker/scale`, to(0), "kubectl"),
  ]);
}

async function failures(stage: Stage): Promise<readonly Outcome[]> {
  stage.setDenial((user, operation, name) => {
    if (operation === "DELETE" && name === "web") return `admission webhook "guard.example.com" denied the request`;
    return name.startsWith("huge-") ? `exceeded quota: shop, requested by ${user}` : null;
  });
  const outcomes = await inTurn(stage, [
    failing(ALICE, "DELETE", `${APPS}/web`),
    failing(CAROL, "POST", `${SHOP}/configmaps`, { metadata: { name: "huge-cache" }, data: {} }),
    failing(BOB, "PUT", SETTINGS, {
      metadata: { name: "shop-settings", resourceVersion: "1" },
      data: { theme: "pink" },
    }),
    failing(CAROL, "PATCH", `${SETTINGS}?dryRun=All`, { data: { theme: "neon" } }),
    failing(ALICE, "POST", `${SHOP}/services`, { metadata: { name: "web" }, spec: { ports: [{ port: 81 }] } }),
  ]);
  stage.setDenial(null);
  return outcomes;
}

async function nothing(stage: Stage): Promise<readonly Outcome[]> {
  const status = (replicas: number) => ({ status: { replicas, readyReplicas: replicas, observedGeneration: 3 } });
  const unchanged = { user: CAROL, method: "PATCH", path: SETTINGS, body: { data: { theme: "dark" } } } as const;
  return inTurn(stage, [
    { purpose: "no-op", call: unchanged, fails: false },
    { purpose: "no-op", call: { ...unchanged, user: BOB }, fails: false },
    ...[1, 3, 5].map((replicas) => statusUpdate(`${APPS}/web/status`, status(replicas))),
    // Follows the no-ops: their traces must not be taken for this change.
    write(ALICE, "PATCH", SETTINGS, { data: { currency: "USD" } }),
  ]);
}

async function blind(stage: Stage): Promise<readonly Outcome[]> {
  stage.setWebhookReachable(false);
  const unseen = await inTurn(stage, [
    write(BOB, "PATCH", SETTINGS, { data: { "free-shipping": "yes" } }),
    write(CAROL, "POST", WIDGETS, { ...custom("coupon"), spec: { percent: 10 } }),
  ]);
  stage.setWebhookReachable(true);
  const seen = await inTurn(stage, [write(CAROL, "PATCH", SETTINGS, { data: { "free-shipping": "from 50" } })]);
  return [...unseen, ...seen];
}

async function deletions(stage: Stage): Promise<readonly Outcome[]> {
  return inTurn(stage, [
    write(CAROL, "POST", `${SHOP}/configmaps`, {
      metadata: { name: "backups", finalizers: ["example.com/backup-cleaner"] },
      data: { keep: "7" },
    }),
    write(CAROL, "DELETE", `${WIDGETS}/loyalty`),
    write(ALICE, "DELETE", `${SHOP}/configmaps/backups`),
    write(CLEANER, "PATCH", `${SHOP}/configmaps/backups`, { metadata: { finalizers: null } }, "backup-cleaner"),
    write(BOB, "DELETE", `${APPS}/worker`),
    write(DEPLOYER, "DELETE", WIDGETS),
    write(ALICE, "POST", `${SHOP}/configmaps`, { metadata: { name: "backups" }, data: { keep: "30" } }),
  ]);
}

interface Request {
  readonly purpose: Outcome["purpose"];
  readonly call: Call;
  readonly fails: boolean;
}

function write(
  user: User,
  method: Call["method"],
  path: string,
  body?: object,
  fieldManager = "kubectl-edit",
): Request {
  return {
    purpose: "write",
    call: { user, method, path, fieldManager, ...(body === undefined ? {} : { body }) },
    fails: false,
  };
}

function failing(user: User, method: Call["method"], path: string, body?: object): Request {
  const request = write(user, method, path, body);
  // A dry run succeeds, and writes nothing.
  return { ...request, purpose: "failing", fails: !path.includes("dryRun") };
}

function statusUpdate(path: string, body: object): Request {
  return { ...write(DEPLOYMENT_CONTROLLER, "PATCH", path, body, "kube-controller-manager"), purpose: "status" };
}

async function inTurn(stage: Stage, requests: readonly Request[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const request of requests) outcomes.push(await perform(stage, request));
  return outcomes;
}

async function atOnce(stage: Stage, requests: readonly Request[]): Promise<readonly Outcome[]> {
  return Promise.all(requests.map((request) => perform(stage, request)));
}

async function perform(stage: Stage, { purpose, call, fails }: Request): Promise<Outcome> {
  const reply = await stage.call(call);
  const detail = `${call.user.name}: ${call.method} ${call.path} was answered ${reply.status}`;
  return { purpose, asMeant: reply.status >= 400 === fails, detail };
}

function custom(name: string): object {
  return { apiVersion: "example.com/v1", kind: "Widget", metadata: { name } };
}

function deployment(name: string, version: string): object {
  const labels = { app: name };
  const containers = [
    { name: "main", image: `registry.example.com/${name}:${version}`, env: [{ name: "PORT", value: "8080" }] },
  ];
  return {
    metadata: { name, labels },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
}
