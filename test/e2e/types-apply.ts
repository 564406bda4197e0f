/** I5: every file at HEAD, applied to an empty cluster as `kubectl apply --server-side --force-conflicts --validate=strict` does. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { ServedType } from "../../src/kubernetes/discovery-documents.ts";
import { decodePathPart, namespaceOf } from "../../src/git/layout.ts";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import type { ApiResponse } from "../controlplane/api-client.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { typeNameOf } from "./types-catalogue.ts";
import { simulatedSecrets } from "../../src/simulation/simulated-secrets.ts";

export interface AppliedFile {
  /** In the repository, without the target's prefix. */
  readonly path: string;
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
  readonly yaml: Buffer;
  readonly url: string;
}

export interface Applied {
  readonly files: readonly AppliedFile[];
  /** Refused to the end, with what the API server said. */
  readonly refused: ReadonlyMap<string, string>;
  /** Applied, and read back as other bytes. */
  readonly different: ReadonlyMap<string, string>;
}

export interface ApplyException {
  readonly path: RegExp;
  readonly why: string;
}

/** What docs/SANITIZING.md says does not apply. */
export const refusals: readonly ApplyException[] = [
  {
    path: /^_cluster\/networking\.k8s\.io\/servicecidrs\/kubernetes\.yaml$/,
    why: "Every cluster makes it for itself from its flags, and it is immutable.",
  },
  { path: /^types\/core\/secrets\/secret\.yaml$/, why: "Its values are omitted; the placeholder is no base64." },
];

/** What applies, and what the API server of the other cluster then makes its own, or removes. */
export const replacements: readonly ApplyException[] = [
  {
    path: /^_cluster\/networking\.k8s\.io\/ipaddresses\/10\./,
    why: "The address of a Service in the old range: the API server removes it, since the Service has another one here.",
  },
  { path: /^kube-system\/coordination\.k8s\.io\/leases\/apiserver-/, why: "Its namesake writes it every few seconds." },
];

/** What no exception foresees, with what the API server said. */
export function unexpected(
  found: ReadonlyMap<string, string>,
  exceptions: readonly ApplyException[],
): readonly (readonly [path: string, said: string])[] {
  return [...found].filter(([path]) => !exceptions.some((exception) => exception.path.test(path)));
}

/** For the record in docs/SANITIZING.md. */
export function figuresOf({ files, refused, different }: Applied): string {
  const types = new Set(files.map(({ group, resource }) => `${group}/${resource}`)).size;
  const applied = files.length - refused.size;
  return `${files.length} files of ${types} types: ${applied} applied, ${applied - different.size} read back as the same bytes.`;
}

const rounds = 4;
const concurrentApplies = 8;
/** What others cannot do without. */
const first = ["namespaces", "customresourcedefinitions"];

/** Clones with the stock git, as anybody would. `commit`: later ones may have removed files. */
export function checkOut(repository: string, commit: string, directory: string): void {
  execFileSync("git", ["clone", "--quiet", "--no-checkout", repository, directory]);
  execFileSync("git", ["-C", directory, "checkout", "--quiet", commit]);
}

export function readFiles(directory: string, types: readonly ServedType[]): readonly AppliedFile[] {
  const byName = new Map(types.map((type) => [typeNameOf(type), type]));
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".yaml"))
    .toSorted()
    .map((path) => {
      const [namespacePart = "", group = "", resource = "", file = ""] = path.split("/");
      const type = byName.get(`${group}/${resource}`);
      const preferred = type?.versions[0];
      if (type === undefined || preferred === undefined) throw new Error(`${path} is of no served type.`);
      const root = type.group === "" ? `/api/${preferred.version}` : `/apis/${type.group}/${preferred.version}`;
      const namespace = namespaceOf(namespacePart);
      const name = encodeURIComponent(decodePathPart(file.slice(0, -".yaml".length)));
      const url = `${root}${namespace === "" ? "" : `/namespaces/${namespace}`}/${resource}/${name}`;
      const yaml = readFileSync(join(directory, path));
      return { path, group: type.group, resource, kind: preferred.kind, yaml, url };
    });
}

export async function applyAll(plane: ControlPlane, files: readonly AppliedFile[]): Promise<Applied> {
  const refused = new Map<string, string>();
  let pending = files.toSorted((a, b) => rankOf(a) - rankOf(b));
  for (let round = 0; round < rounds && pending.length > 0; round += 1) {
    const failed: AppliedFile[] = [];
    const [early, late] = [pending.filter((file) => rankOf(file) < 0), pending.filter((file) => rankOf(file) === 0)];
    for (const group of [early, late]) {
      await eachOf(group, async (file) => {
        const answer = await apply(plane, file);
        if (answer.status < 300) refused.delete(file.path);
        else {
          refused.set(file.path, `${answer.status} ${answer.text}`);
          failed.push(file);
        }
      });
    }
    pending = failed;
  }
  const different = new Map<string, string>();
  await eachOf(files, async (file) => {
    if (refused.has(file.path)) return;
    const answer = await plane.request("admin", "GET", file.url);
    const yaml =
      answer.status === 200
        ? Buffer.from(manifestOf(answer.body, { ...file, secrets: simulatedSecrets }).yaml)
        : answer.body;
    if (!file.yaml.equals(yaml)) different.set(file.path, yaml.toString());
  });
  return { files, refused, different };
}

export function apply(plane: ControlPlane, file: AppliedFile): Promise<ApiResponse> {
  const headers = { "content-type": "application/apply-patch+yaml" };
  const path = `${file.url}?fieldManager=restore&force=true&fieldValidation=Strict`;
  return plane.request("admin", "PATCH", path, file.yaml, { headers });
}

function rankOf({ resource }: AppliedFile): number {
  const place = first.indexOf(resource);
  return place < 0 ? 0 : place - first.length;
}

async function eachOf<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const work = async (): Promise<void> => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: concurrentApplies }, work));
}
