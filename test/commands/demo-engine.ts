/**
 * A plain engine for the demo's tests: an admission server, watches and commits in a hundred lines, after the rules of DESIGN
 * section 4 for an unbroken chain.
 */

import * as nodeFs from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { commit, init, writeTree } from "isomorphic-git";
import type { DemoEngine, DemoEngineOptions } from "../../src/commands/demo.ts";

interface Metadata {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion?: string;
  readonly deletionTimestamp?: string;
}
interface Reviewed {
  readonly operation: string;
  readonly subResource?: string;
  readonly uid: string;
  readonly userInfo: { readonly username: string };
  readonly object: { readonly metadata: Metadata; readonly spec?: { readonly replicas?: number } } | null;
  readonly oldObject: { readonly metadata: Metadata } | null;
  readonly objectText: string;
}
interface Frame {
  readonly type: string;
  readonly object: {
    readonly metadata: Metadata;
    readonly kind: string;
    readonly spec?: { readonly replicas?: number };
  };
}

const PATHS = [
  "/api/v1/configmaps",
  "/api/v1/secrets",
  "/api/v1/services",
  "/apis/apps/v1/deployments",
  "/apis/example.com/v1/widgets",
];
/** How often a reviewer's name is swapped for a liar's, to see the demo notice. */
export interface Lies {
  readonly author?: (user: string) => string;
  readonly drops?: (frame: Frame) => boolean;
}

export async function startPlainEngine(options: DemoEngineOptions, lies: Lies = {}): Promise<DemoEngine> {
  const kubeconfig = JSON.parse(await readFile(options.kubeconfig, "utf8")) as {
    readonly clusters: readonly [{ readonly cluster: Record<string, string> }];
    readonly users: readonly [{ readonly user: Record<string, string> }];
  };
  const gitdir = /file:\/\/([^"]+)"/.exec(await readFile(options.config, "utf8"))?.[1] ?? "";
  const reviews: Reviewed[] = [];
  const server = createServer(
    { cert: await readFile(options.tlsCertFile), key: await readFile(options.tlsKeyFile) },
    (incoming, outgoing) => {
      void readAll(incoming).then((text) => {
        const { request: review } = JSON.parse(text) as { readonly request: Reviewed };
        const objectText = text.slice(text.indexOf(`"object":`) + 9, text.indexOf(`,"oldObject":`));
        reviews.push({ ...review, objectText });
        outgoing.end(
          JSON.stringify({
            apiVersion: "admission.k8s.io/v1",
            kind: "AdmissionReview",
            response: { uid: review.uid, allowed: true },
          }),
        );
      });
    },
  );
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  await init({ fs: nodeFs, gitdir, bare: true, defaultBranch: "main" });
  const tree = await writeTree({ fs: nodeFs, gitdir, tree: [] });
  const append = async (message: string): Promise<void> => {
    const name = /Changed-By: (.*)/.exec(message)?.[1] ?? "kubescribe";
    await commit({
      fs: nodeFs,
      gitdir,
      tree,
      message,
      author: { name, email: "x@example.com" },
      ref: "refs/heads/main",
    });
  };
  let committed = append("Begin\n\nKubescribe-Kind: snapshot\n");
  const seen = new Map<string, { readonly version: string; readonly text: string; readonly frame: Frame }>();
  const target = {
    server: kubeconfig.clusters[0].cluster["server"] ?? "",
    ca: Buffer.from(kubeconfig.clusters[0].cluster["certificate-authority-data"] ?? "", "base64").toString(),
    token: kubeconfig.users[0].user["token"] ?? "",
  };
  const watches = PATHS.map((path) =>
    openWatch({ ...target, path }, (line, initial) => {
      const frame = JSON.parse(line) as Frame;
      if (frame.type === "BOOKMARK" || lies.drops?.(frame) === true) return;
      const text = line.slice(line.indexOf(`"object":`) + 9, -1);
      const { uid, resourceVersion = "" } = frame.object.metadata;
      const before = seen.get(uid);
      seen.set(uid, { version: resourceVersion, text, frame });
      const message = initial ? null : messageOf({ frame, text, before: before ?? null, reviews, lies, path });
      if (message !== null) committed = committed.then(() => append(message));
    }),
  );
  return {
    ready: Promise.all(watches.map(({ synced }) => synced)).then(() => undefined),
    admissionAddress: () => `127.0.0.1:${(server.address() as AddressInfo).port}`,
    drain: () => committed,
    async [Symbol.asyncDispose]() {
      for (const { close } of watches) close();
      await committed;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Observed {
  readonly frame: Frame;
  readonly text: string;
  readonly before: { readonly version: string; readonly text: string; readonly frame: Frame } | null;
  readonly reviews: readonly Reviewed[];
  readonly lies: Lies;
  readonly path: string;
}

function messageOf(observed: Observed): string | null {
  const { frame, text, before, lies, path } = observed;
  if (before?.frame.object.metadata.deletionTimestamp !== undefined) return null;
  const { uid, resourceVersion = "", name, deletionTimestamp } = frame.object.metadata;
  const operation =
    frame.type === "ADDED"
      ? "CREATE"
      : frame.type === "DELETED" || deletionTimestamp !== undefined
        ? "DELETE"
        : "UPDATE";
  if (operation === "UPDATE" && before !== null && manifestOf(before.text) === manifestOf(text)) return null;
  const [tier, user] = verdictOf(observed, operation);
  return [
    `${operation} ${name}`,
    "",
    `Changed-By: ${lies.author?.(user) ?? user}`,
    `Kubescribe-Resource: ${path} shop/${name}`,
    `Kubescribe-Uid: ${uid}`,
    `Kubescribe-Resource-Version: ${resourceVersion}`,
    `Kubescribe-Attribution: ${tier}`,
    "",
  ].join("\n");
}

function verdictOf({ frame, text, before, reviews }: Observed, operation: string): readonly [string, string] {
  const { uid } = frame.object.metadata;
  const of = reviews.filter(
    (review) => (review.object ?? review.oldObject)?.metadata.uid === uid && review.operation === operation,
  );
  const based =
    operation === "CREATE" ? of : of.filter(({ oldObject }) => oldObject?.metadata.resourceVersion === before?.version);
  const equal = based.find(
    ({ objectText }) => operation === "DELETE" || withoutVersion(objectText) === withoutVersion(text),
  );
  if (equal !== undefined) return [operation === "DELETE" ? "delete" : "exact", equal.userInfo.username];
  const scale = based.find(
    ({ subResource, object }) =>
      subResource === "scale" && (object?.spec?.replicas ?? 0) === (frame.object.spec?.replicas ?? 0),
  );
  return scale === undefined ? ["unresolved", "unresolved"] : ["scale", scale.userInfo.username];
}

function withoutVersion(text: string): string {
  return text.replace(/"resourceVersion":"\d+",/, "");
}

function manifestOf(text: string): string {
  const object = JSON.parse(text) as Record<string, unknown> & { metadata: Record<string, unknown> };
  const dropped = { resourceVersion: 0, managedFields: 0, generation: 0 };
  return JSON.stringify({ ...object, status: 0, metadata: { ...object.metadata, ...dropped } });
}

interface WatchTarget {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  readonly path: string;
}

function openWatch({ server, ca, token, path }: WatchTarget, onLine: (line: string, initial: boolean) => void) {
  const { promise: synced, resolve } = Promise.withResolvers<undefined>();
  const query = "watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  let initial = true;
  const outgoing = request(
    `${server}${path}?${query}`,
    { ca, agent: false, headers: { authorization: `Bearer ${token}` } },
    (response) => {
      let rest = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          onLine(line, initial);
          if (line.includes("initial-events-end")) {
            initial = false;
            resolve(undefined);
          }
        }
      });
      response.on("error", () => undefined);
    },
  );
  outgoing.on("error", () => undefined);
  outgoing.end();
  return { synced, close: () => outgoing.destroy() };
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
