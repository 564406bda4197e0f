/**
 * What a commit is about, as the text that the index keeps: from the trailers of a change, or from the path of a file that another
 * commit of ours changed. Both give the same text for the same resource. Everything stays encoded as it is in paths.
 */

import { decodePathPart, encodePathPart, namespaceDirectoryOf, namespaceOf, resourcePartOf } from "../layout.ts";

export interface RecordKey {
  /** uid of kube-system. */
  readonly cluster: string;
  /** `shop/apps/deployments/web`: the last parts of the path, without the ending. Empty: of the cluster as a whole. */
  readonly file: string;
  /** The directory of the target, where the commit says it; null: of a change, whose trailers do not. */
  readonly prefix: string | null;
}

/** As it is typed and shown. */
export interface NamedResource {
  readonly group: string;
  readonly resource: string;
  /** Empty: cluster-scoped. */
  readonly namespace: string;
  /** Of a name that had to be cut, what is left. */
  readonly name: string;
}

/** Of the trailer Kubescribe-Resource; null where it is none. */
export function fileOfTrailer(value: string): string | null {
  const match = /^([^/ ]+)\/[^/ ]+\/([^/ ]+) (?:([^/ ]+)\/)?([^/ ]+)$/.exec(value);
  if (match === null) return null;
  const [, group = "", resource = "", namespace, name = ""] = match;
  return `${directoryOf(namespace)}/${group}/${resource}/${filePartOf(name)}`;
}

/** Encoded as in the path, but for `:`, and for the name that stands there for no namespace. */
function directoryOf(namespace: string | undefined): string {
  const part = namespace?.replaceAll(":", "%3A") ?? "";
  return part === "" || part === namespaceDirectoryOf("") ? namespaceDirectoryOf(decodePathPart(part)) : part;
}

/** Null where the path is none of ours. */
export function fileOfPath(path: string): { readonly file: string; readonly prefix: string } | null {
  const parts = path.split("/");
  const [namespace, group, resource, file] = parts.slice(-4);
  if (namespace === undefined || group === undefined || resource === undefined || file === undefined) return null;
  const part = resourcePartOf(file);
  if (part === null) return null;
  return { file: `${namespace}/${group}/${resource}/${part}`, prefix: parts.slice(0, -4).join("/") };
}

export function resourceOfFile(file: string): NamedResource {
  const [namespace = "", group = "", resource = "", name = ""] = file.split("/");
  return {
    group: group === "core" ? "" : decodePathPart(group),
    resource: decodePathPart(resource),
    namespace: namespaceOf(namespace),
    name: decodePathPart(name),
  };
}

/** The name as it stands in paths, where five bytes belong to the ending. */
function filePartOf(trailerName: string): string {
  const name = trailerName.replaceAll(":", "%3A");
  const cut = /%_[0-9a-f]{64}$/.exec(name);
  if (cut === null) return namePartOf(decodePathPart(name));
  return (
    name
      .slice(0, longestPart - cut[0].length)
      .slice(0, cut.index)
      .replace(/%[0-9A-F]?$/, "") + cut[0]
  );
}

export function namePartOf(name: string): string {
  return encodePathPart(name, endingBytes);
}

const endingBytes = 5;
const longestPart = 255 - endingBytes;

const separator = "\n";

export function keyText({ cluster, file, prefix }: RecordKey): string {
  return prefix === null ? `${cluster}${separator}${file}` : `${cluster}${separator}${file}${separator}${prefix}`;
}

export function keyOfText(text: string): RecordKey {
  const [cluster = "", file = "", prefix = null] = text.split(separator);
  return { cluster, file, prefix };
}
