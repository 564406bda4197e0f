/**
 * Every type that the API server serves and lets watch, in every version, each with a minimal valid object: what the table of
 * docs/TYPES.md has rows for.
 */

import { readdirSync, readFileSync } from "node:fs";

import { parseAllDocuments } from "yaml";

import type { ApiServer } from "../../actors/ports.ts";
import type { ServedType } from "../../src/kubernetes/discovery-documents.ts";
import { Discovery } from "../../src/kubernetes/discovery.ts";
import type { JsonObject } from "../controlplane/api-client.ts";

export interface Manifest extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject & { readonly name: string };
}

/** One object of one type, written in one served version, while the watched one may be another. */
export interface Subject {
  /** `group/resource`, `core` for the core group. */
  readonly type: string;
  readonly kind: string;
  readonly watched: string;
  /** `group/version` of the requests; `v1` of the core group. */
  readonly apiVersion: string;
  readonly manifest: Manifest;
  readonly namespaced: boolean;
  readonly subresources: readonly string[];
  /** Empty, or what is special about the object: its name, where a type has several. */
  readonly special: string;
}

export interface Catalogue {
  readonly types: readonly ServedType[];
  readonly subjects: readonly Subject[];
  /** `group/resource version` of what is served and has no object here. */
  readonly missing: readonly string[];
}

export const namespace = "types";

/** The core Event and that of events.k8s.io are one store: they count as versions of one type, and the core one is watched. */
const eventsAlias = "events.k8s.io/events";

export async function readCatalogue(api: ApiServer, signal: AbortSignal): Promise<Catalogue> {
  const { types } = await new Discovery(api).read(signal);
  const manifests = readManifests();
  const subjects: Subject[] = [];
  const missing: string[] = [];
  for (const type of types) {
    for (const [index, { version }] of type.versions.entries()) {
      const found = subjectsOf({ type, index, manifests });
      if (found.length === 0) missing.push(`${typeNameOf(type)} ${version}`);
      subjects.push(...found);
    }
  }
  return { types, subjects, missing };
}

/** Of the types that are watched, with the one version of each. */
export function watchedTypes(
  types: readonly ServedType[],
): readonly { readonly group: string; readonly version: string; readonly resource: string }[] {
  return types.flatMap(({ group, resource, versions: [preferred] }) =>
    preferred === undefined || typeNameOf({ group, resource }) === eventsAlias
      ? []
      : [{ group, resource, version: preferred.version }],
  );
}

export function pathOf({ apiVersion, namespaced, type }: Subject, name = ""): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const resource = type.slice(type.indexOf("/") + 1);
  const collection = `${root}${namespaced ? `/namespaces/${namespace}` : ""}/${resource}`;
  return name === "" ? collection : `${collection}/${encodeURIComponent(name)}`;
}

export function typeNameOf({ group, resource }: { readonly group: string; readonly resource: string }): string {
  return `${group === "" ? "core" : group}/${resource}`;
}

function subjectsOf(question: {
  readonly type: ServedType;
  readonly index: number;
  readonly manifests: readonly Manifest[];
}): readonly Subject[] {
  const { type, index, manifests } = question;
  const served = type.versions[index];
  const watched = type.versions[0];
  if (served === undefined || watched === undefined) return [];
  const apiVersion = apiVersionOf(type.group, served.version);
  const own = manifests.filter((manifest) => manifest.apiVersion === apiVersion && manifest.kind === served.kind);
  const documents = own.length > 0 ? own : translated({ type, kind: served.kind, version: served.version, manifests });
  const name = typeNameOf(type);
  return documents.map((manifest, position) => ({
    type: name,
    kind: served.kind,
    watched: name === eventsAlias ? "v1" : apiVersionOf(type.group, watched.version),
    apiVersion,
    manifest,
    namespaced: served.namespaced,
    subresources: served.subresources,
    special: position === 0 ? "" : manifest.metadata.name,
  }));
}

/** Versions mostly agree about what is minimal: the object of another one, under a name of its own. */
function translated(wanted: {
  readonly type: ServedType;
  readonly kind: string;
  readonly version: string;
  readonly manifests: readonly Manifest[];
}): readonly Manifest[] {
  const { type, kind, version, manifests } = wanted;
  const versions = new Set(type.versions.map((one) => apiVersionOf(type.group, one.version)));
  const model = manifests.find((manifest) => versions.has(manifest.apiVersion) && manifest.kind === kind);
  if (model === undefined) return [];
  const metadata = { ...model.metadata, name: `${model.metadata.name}-${version}` };
  return [{ ...model, apiVersion: apiVersionOf(type.group, version), metadata }];
}

function apiVersionOf(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}

function readManifests(): readonly Manifest[] {
  const directory = new URL("type-objects/", import.meta.url);
  return readdirSync(directory).flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(file, directory), "utf8")).map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw new Error(`${file}: ${error.message}`);
      return document.toJS() as Manifest;
    }),
  );
}
