/**
 * Renewals by several replicas that read late, hand over, end in the middle of a step, and go on from what stands in the cluster: at
 * every moment every certificate that is shown is trusted by whoever may call, and every path that may be called is taken.
 */

import fc from "fast-check";
import { expect, test } from "vitest";

import { certificatePlan } from "../../machines/certificate-plan.ts";
import {
  advanced,
  type Generation,
  type ShownCredentials,
  shownOf,
  widened,
  type WebhookCredentials,
} from "../../machines/webhook-credentials.ts";
import { check, suite } from "./check.ts";

const waitMs = 20;
const times = { lifetimeMs: 1_000_000, waitMs };

/** A value in the cluster, and who may still see an older one. */
class Stored<Value> {
  readonly #versions: { readonly value: Value; readonly sinceMs: number }[];

  constructor(value: Value) {
    this.#versions = [{ value, sinceMs: 0 }];
  }

  get version(): number {
    return this.#versions.length - 1;
  }

  at(version: number): Value {
    const found = this.#versions[version];
    if (found === undefined) throw new Error(`no version ${version}`);
    return found.value;
  }

  write(value: Value, nowMs: number): void {
    this.#versions.push({ value, sinceMs: nowMs });
  }

  /** Nobody sees a version that another one has followed for `waitMs`. */
  oldest(nowMs: number): number {
    const kept = this.#versions.findIndex((_, index) => {
      const next = this.#versions[index + 1];
      return next === undefined || next.sinceMs > nowMs - waitMs;
    });
    return kept;
  }
}

interface Configuration {
  readonly trusted: readonly string[];
  readonly path: string;
}

/** One replica, with both of its keepers, each in single steps. */
interface Replica {
  seen: number;
  carried: { readonly secret: number; readonly sinceMs: number } | null;
  secretWrite: { readonly on: number; readonly credentials: WebhookCredentials } | null;
  configurationRead: number | null;
  configurationWrite: { readonly on: number; readonly configuration: Configuration } | null;
}

class World {
  nowMs = 0;
  rotations = 0;
  readonly secret: Stored<WebhookCredentials>;
  readonly configuration: Stored<Configuration>;
  readonly replicas: Replica[];
  readonly apiServers = [0, 0];
  #generations = 0;

  constructor(replicas: number) {
    const credentials: WebhookCredentials = { phase: "steady", current: this.#generation() };
    this.secret = new Stored(credentials);
    this.configuration = new Stored(configurationFor(shownOf(credentials)));
    this.replicas = Array.from({ length: replicas }, () => begun(0));
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1) {
      this.nowMs += 1;
      this.#catchUp();
    }
  }

  read(index: number): void {
    this.#replica(index).seen = this.secret.version;
  }

  serve(index: number): void {
    this.apiServers[index % this.apiServers.length] = this.configuration.version;
  }

  /** It ends, and begins with a mounted Secret that may be old. */
  crash(index: number): void {
    this.replicas[index % this.replicas.length] = begun(this.secret.oldest(this.nowMs));
  }

  /** What the credential keeper decides. */
  plan(index: number): void {
    const replica = this.#replica(index);
    replica.seen = this.secret.version;
    const credentials = this.secret.at(replica.seen);
    const { carried } = replica;
    const isCarried = carried !== null && carried.secret === replica.seen;
    const configuredForMs = isCarried ? this.nowMs - carried.sinceMs : null;
    const step = certificatePlan({ credentials, asked: true, configuredForMs, nowMs: 0 }, times);
    if (step.kind === "widen" && credentials.phase === "steady") {
      replica.secretWrite = { on: replica.seen, credentials: widened(credentials, this.#generation()) };
    } else if (step.kind === "advance" && credentials.phase !== "steady") {
      replica.secretWrite = { on: replica.seen, credentials: advanced(credentials) };
    }
  }

  /** Arrives at any time later, also when somebody else holds by then. */
  writeSecret(index: number): void {
    const { secretWrite } = this.#replica(index);
    this.#replica(index).secretWrite = null;
    if (secretWrite === null || secretWrite.on !== this.secret.version) return;
    if (secretWrite.credentials.phase === "steady") this.rotations += 1;
    this.secret.write(secretWrite.credentials, this.nowMs);
    this.read(index);
  }

  lookAtConfiguration(index: number): void {
    const replica = this.#replica(index);
    replica.configurationRead = this.configuration.version;
    this.#note(replica, this.configuration.at(this.configuration.version));
  }

  /** V1: credentials are read after the configuration was. */
  decideConfiguration(index: number): void {
    const replica = this.#replica(index);
    if (replica.configurationRead === null) return;
    replica.seen = this.secret.version;
    const wanted = configurationFor(shownOf(this.secret.at(replica.seen)));
    replica.configurationWrite = { on: replica.configurationRead, configuration: wanted };
    replica.configurationRead = null;
  }

  writeConfiguration(index: number): void {
    const replica = this.#replica(index);
    const write = replica.configurationWrite;
    replica.configurationWrite = null;
    if (write === null || write.on !== this.configuration.version) return;
    this.configuration.write(write.configuration, this.nowMs);
    this.#note(replica, write.configuration);
  }

  check(): void {
    const faults = this.#faults();
    if (faults.length > 0) throw new Error(faults.join("; "));
  }

  /** Sentences about reviews, from an API server or handed on by a replica, that would be lost now. */
  #faults(): readonly string[] {
    const shown = this.replicas.map(({ seen }) => shownOf(this.secret.at(seen)));
    const callers: readonly Configuration[] = [
      ...this.apiServers.map((version) => this.configuration.at(version)),
      ...shown.map(configurationFor),
    ];
    return callers.flatMap((caller) =>
      shown.flatMap((server) => [
        ...(caller.trusted.includes(server.caPem) ? [] : [`${server.caPem} is not in ${caller.trusted.join()}`]),
        ...(server.paths.includes(caller.path) ? [] : [`${caller.path} is not in ${server.paths.join()}`]),
      ]),
    );
  }

  #note(replica: Replica, found: Configuration): void {
    const wanted = configurationFor(shownOf(this.secret.at(replica.seen)));
    const isCarried = found.path === wanted.path && wanted.trusted.every((ca) => found.trusted.includes(ca));
    if (!isCarried) replica.carried = null;
    else if (replica.carried?.secret !== replica.seen) replica.carried = { secret: replica.seen, sinceMs: this.nowMs };
  }

  #catchUp(): void {
    const secret = this.secret.oldest(this.nowMs);
    for (const replica of this.replicas) replica.seen = Math.max(replica.seen, secret);
    const configuration = this.configuration.oldest(this.nowMs);
    for (const [index, version] of this.apiServers.entries()) this.apiServers[index] = Math.max(version, configuration);
  }

  #replica(index: number): Replica {
    const replica = this.replicas[index % this.replicas.length];
    if (replica === undefined) throw new Error("no replicas");
    return replica;
  }

  #generation(): Generation {
    this.#generations += 1;
    const name = String(this.#generations);
    return { caPem: `ca${name}`, certPem: `c${name}`, keyPem: `k${name}`, path: `/${name}`, notAfterMs: 900_000 };
  }
}

function begun(seen: number): Replica {
  return { seen, carried: null, secretWrite: null, configurationRead: null, configurationWrite: null };
}

function configurationFor({ trusted, path }: ShownCredentials): Configuration {
  return { trusted, path };
}

const steps = [
  "read",
  "serve",
  "crash",
  "plan",
  "writeSecret",
  "lookAtConfiguration",
  "decideConfiguration",
  "writeConfiguration",
] as const;
const anyStep = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), by: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("keep" as const), by: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...steps), by: fc.nat(2) }) },
);

suite("a renewal of the webhook's credentials", () => {
  test("is understood by everybody at every moment", () => {
    let rotations = 0;
    check(
      fc.property(fc.array(anyStep, { minLength: 20, maxLength: 200, size: "max" }), (drawn) => {
        const world = new World(3);
        for (const { kind, by } of drawn) {
          if (kind === "pass") world.pass(by);
          else if (kind === "keep") {
            // What the process that holds does when nobody disturbs it.
            for (const step of steps.slice(3)) {
              world[step](by);
              world.check();
            }
          } else world[kind](by);
          world.check();
        }
        rotations += world.rotations;
      }),
      { runs: 2000 },
    );
    // The steps that are drawn come to something.
    expect(rotations).toBeGreaterThan(1000);
  });
});
