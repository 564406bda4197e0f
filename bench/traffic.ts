/**
 * A seeded stream of updates to Deployments as an API server would send it: for each write its review and its watch frame, half of
 * them status-only. The stream is made once and sent again and again: each turn gets resourceVersions of its own, put in place in
 * the bytes, so that a long run needs little memory. Within a turn every resource changes more than once, so each turn's writes
 * differ from what was there before.
 */

import type { ResourceVersion } from "../machines/messages.ts";
import { typeKeyOf } from "../machines/messages.ts";
import { randomFrom, seed } from "./environment.ts";

export const deployments = {
  key: typeKeyOf("apps", "deployments"),
  group: "apps",
  version: "v1",
  resource: "deployments",
  kind: "Deployment",
  namespaced: true,
  scalable: true,
};

/** Digits of every resourceVersion here: they are replaced in place. */
const versionDigits = 9;
const firstVersion = 100_000_000;
const versionMarkOf = (bytes: Buffer, from = 0): number => bytes.indexOf('"resourceVersion":"', from) + 19;

export interface Write {
  readonly resource: number;
  /** Of the object once it is written. */
  version: ResourceVersion;
  /** Status writes make no commit. */
  readonly statusOnly: boolean;
  /** The review's body, with the base's version in `object` and `oldObject`. */
  readonly review: Buffer;
  /** The watch frame, its line end included. */
  readonly frame: Buffer;
  /** A review that came before it, on the same base, of what somebody else writes later: it was denied. */
  readonly denied: Buffer | null;
}

interface Marked extends Write {
  readonly reviewMarks: readonly number[];
  readonly frameMark: number;
  denied: Buffer | null;
}

export interface TrafficSize {
  readonly resources: number;
  /** Of each resource in one turn: two changes at least, or nothing ever changes; three where writes are denied. */
  readonly writes: number;
  /** A change is followed by so many status-only writes; divides `writes`. */
  readonly statusWrites?: number;
  /** Part of the changes before which a write was denied. */
  readonly denied?: number;
}

export const deniedUser = "denied@example.com";

export class Traffic {
  readonly size: TrafficSize;
  /** As a LIST answers, at `listVersion`. */
  readonly list: Buffer;
  readonly listVersion: ResourceVersion;
  readonly #writes: readonly Marked[];
  /** Of each resource: the version of its last write. */
  readonly #versions: number[];
  #version: number;

  constructor(size: TrafficSize) {
    this.size = size;
    const random = randomFrom(seed);
    const states = Array.from({ length: size.resources }, (_, resource) => stateOf(resource, size, random));
    this.#versions = states.map((_, resource) => firstVersion + resource);
    const items = states.map((state, resource) => textOf(state, firstVersion + resource));
    this.#version = firstVersion + size.resources;
    this.listVersion = String(this.#version) as ResourceVersion;
    this.list = Buffer.from(`{"metadata":{"resourceVersion":"${this.#version}"},"items":[${items.join(",")}]}`);
    this.#writes = inTime(states, random);
    if (size.denied !== undefined) this.#deny(size.denied, random);
  }

  /** Of the last write. */
  get version(): string {
    return String(this.#version);
  }

  #deny(part: number, random: () => number): void {
    const later = new Map<number, Buffer>();
    for (const write of this.#writes.filter(({ statusOnly }) => !statusOnly).toReversed()) {
      const review = later.get(write.resource);
      if (review !== undefined && random() < part) {
        const text = review.toString("latin1").replace(/"username":"[^"]*"/, `"username":"${deniedUser}"`);
        write.denied = Buffer.from(text, "latin1");
      }
      later.set(write.resource, write.review);
    }
  }

  /** Writes without end, in watch order. What was yielded is overwritten a turn later. */
  *[Symbol.iterator](): Generator<Write, never> {
    for (;;) {
      for (const write of this.#writes) {
        const base = this.#versions[write.resource] ?? 0;
        this.#version += 1;
        this.#versions[write.resource] = this.#version;
        for (const mark of write.reviewMarks) write.review.write(String(base), mark, versionDigits, "latin1");
        if (write.denied !== null) rebase(write.denied, base);
        write.version = String(this.#version) as ResourceVersion;
        write.frame.write(write.version, write.frameMark, versionDigits, "latin1");
        yield write;
      }
    }
  }
}

/** Each resource is somewhere else in its round of a change and status writes: what arrives together is a mix. */
function inTime(states: readonly State[], random: () => number): readonly Marked[] {
  const timed = states.flatMap((state, resource) =>
    state.images.map((image, round) => ({ write: writeOf(state, { resource, image }, random), at: round + random() })),
  );
  return timed.toSorted((a, b) => a.at - b.at).map(({ write }) => write);
}

function rebase(review: Buffer, base: number): void {
  for (let at = versionMarkOf(review); at > 18; at = versionMarkOf(review, at))
    review.write(String(base), at, versionDigits, "latin1");
}

interface State {
  readonly name: string;
  readonly uid: string;
  /** Makes YAML of 1.5 to 5 KB. */
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  readonly containers: number;
  /** Of each write in a turn; null: a status-only one. */
  readonly images: readonly (string | null)[];
  image: string;
  ready: number;
}

function stateOf(resource: number, { writes, statusWrites = 1 }: TrafficSize, random: () => number): State {
  const hex = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  const variables = Array.from({ length: 10 + Math.floor(random() * 40) }, (_, index) => ({
    name: `SETTING_${index}`,
    value: `${hex()} of ${index}`,
  }));
  const uid = `${hex()}-8d02-46d4-8af7-${hex()}1234`;
  const period = 1 + statusWrites;
  const offset = Math.floor(random() * period);
  const images = Array.from({ length: writes }, (_, round) =>
    (round + offset) % period === 0 ? `1.${round}.${Math.floor(random() * 1e6)}` : null,
  );
  // A turn begins with what the one before has left.
  const image = images.findLast((each) => each !== null) ?? "1.0.0";
  return { name: `web-${resource}`, uid, variables, containers: 1 + (resource % 2), images, image, ready: 0 };
}

/** The write changes `state`. */
function writeOf(
  state: State,
  { resource, image }: { readonly resource: number; readonly image: string | null },
  random: () => number,
): Marked {
  const old = textOf(state, firstVersion);
  const statusOnly = image === null;
  if (statusOnly) state.ready += 1;
  else state.image = image;
  const now = textOf(state, firstVersion);
  const user = statusOnly
    ? "system:serviceaccount:kube-system:deployment-controller"
    : `user-${Math.floor(random() * 20)}@example.com`;
  const group = '"group":"apps","version":"v1"';
  const review = Buffer.from(
    `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"${state.uid}","kind":{${group},` +
      `"kind":"Deployment"},"resource":{${group},"resource":"deployments"},${statusOnly ? '"subResource":"status",' : ""}` +
      `"requestKind":{${group},"kind":"Deployment"},"requestResource":{${group},"resource":"deployments"},` +
      `"name":"${state.name}","namespace":"team-${resource % 50}","operation":"UPDATE","userInfo":{"username":"${user}",` +
      `"groups":["developers","system:authenticated"]},"object":${now},"oldObject":${old},"dryRun":false,` +
      '"options":{"kind":"UpdateOptions","apiVersion":"meta.k8s.io/v1","fieldManager":"kubectl-edit"}}}',
  );
  const frame = Buffer.from(`{"type":"MODIFIED","object":${now}}\n`);
  const first = versionMarkOf(review);
  return {
    resource,
    version: "" as ResourceVersion,
    statusOnly,
    review,
    frame,
    reviewMarks: [first, versionMarkOf(review, first)],
    frameMark: versionMarkOf(frame),
    denied: null,
  };
}

function textOf(state: State, version: number): string {
  const { name, uid, variables, containers, image, ready } = state;
  const labels = { app: name, tier: "frontend" };
  const owned = Object.fromEntries(variables.map((variable) => [`k:{"name":"${variable.name}"}`, { ".": {} }]));
  const manager = { manager: "kubectl-edit", operation: "Update", apiVersion: "apps/v1", fieldsType: "FieldsV1" };
  return JSON.stringify({
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: {
      name,
      namespace: `team-${Number(name.slice(4)) % 50}`,
      uid,
      resourceVersion: String(version),
      generation: 4,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels,
      annotations: { "deployment.kubernetes.io/revision": "4" },
      managedFields: [{ ...manager, time: "2026-01-01T00:00:00Z", fieldsV1: { "f:spec": owned } }],
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { creationTimestamp: null, labels },
        spec: {
          containers: Array.from({ length: containers }, (_, index) => ({
            name: `web-${index}`,
            image: `nginx:${image}`,
            ports: [{ containerPort: 8080 + index, protocol: "TCP" }],
            env: variables,
            resources: { limits: { cpu: "1", memory: "256Mi" }, requests: { cpu: "100m", memory: "128Mi" } },
            terminationMessagePath: "/dev/termination-log",
            terminationMessagePolicy: "File",
            imagePullPolicy: "IfNotPresent",
          })),
          restartPolicy: "Always",
          terminationGracePeriodSeconds: 30,
          dnsPolicy: "ClusterFirst",
          securityContext: {},
          schedulerName: "default-scheduler",
        },
      },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
    },
    status: { observedGeneration: 4, replicas: 3, readyReplicas: ready, availableReplicas: ready },
  });
}
