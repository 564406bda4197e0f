/**
 * Where a resource's file stands: `{path}/{namespace|_cluster}/{group|core}/{resource}/{name}.yaml`. Names come from a
 * cluster and are not to be trusted; different names always give different paths. docs/COMMITS.md has the rules.
 */

import { hash } from "node:crypto";
import type { ResourceType } from "../../machines/messages.ts";
import { KubescribeError } from "../../machines/error.ts";

export interface FilePath {
  readonly directories: readonly string[];
  readonly file: string;
}

export interface ResourceName {
  readonly namespace: string;
  readonly name: string;
}

const ending = ".yaml";
const clusterDirectory = "_cluster";

export function filePathOf(prefix: readonly string[], type: ResourceType, resource: ResourceName): FilePath {
  return {
    directories: [...typeDirectoriesOf(prefix, namespaceDirectoryOf(resource.namespace), type)],
    file: encodePathPart(resource.name, ending.length) + ending,
  };
}

/** The directory of one type in one namespace directory, which `namespaceDirectoryOf` made. */
export function typeDirectoriesOf(
  prefix: readonly string[],
  namespaceDirectory: string,
  type: ResourceType,
): readonly string[] {
  const group = type.group === "" ? "core" : type.group === "core" ? "%63ore" : encodePathPart(type.group);
  return [...prefix, namespaceDirectory, group, encodePathPart(type.resource)];
}

export function namespaceDirectoryOf(namespace: string): string {
  if (namespace === "") return clusterDirectory;
  return namespace === clusterDirectory ? "%5Fcluster" : encodePathPart(namespace);
}

export function namespaceOf(directory: string): string {
  return directory === clusterDirectory ? "" : decodePathPart(directory);
}

/** The encoded name, or null where the file is none of ours. */
export function resourcePartOf(file: string): string | null {
  if (!file.endsWith(ending)) return null;
  const part = file.slice(0, -ending.length);
  return cutMark.test(part) || encodePathPart(decodePathPart(part), ending.length) === part ? part : null;
}

const cutMark = /%_[0-9a-f]{64}$/;

/** What was encoded; of a name that had to be cut, what is left of it. */
export function decodePathPart(part: string): string {
  const bytes = part.replace(cutMark, "").replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Most file systems hold 255 bytes in a name. */
const partLimitBytes = 255;
const deviceName = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)/i;

/**
 * Percent-encodes every byte but letters, digits and `_ + = @ , - .`, a dot at either end (`.`, `..`, `.git`, Windows'
 * stripping), and the first letter of a Windows device name. Non-ASCII goes too (HFS+ ignores some and normalises others), and
 * `~` (`git~1` is `.git` to NTFS). What is too long, or empty, ends in `%_` and a SHA-256 instead: `%_` is no encoded byte.
 */
export function encodePathPart(text: string, reservedBytes = 0): string {
  let part = Buffer.from(text, "utf8")
    .toString("latin1")
    .replaceAll(/[^A-Za-z0-9_+=@,.-]/g, percent)
    .replace(/^\./, percent)
    .replace(/\.$/, percent);
  if (deviceName.test(part)) part = percent(part.slice(0, 1)) + part.slice(1);
  const limit = partLimitBytes - reservedBytes;
  if (part.length <= limit && part !== "" && text.isWellFormed()) return part;
  const digest = `%_${hash("sha256", Buffer.from(text, "utf16le"), "hex")}`;
  return part.slice(0, limit - digest.length).replace(/%[0-9A-F]?$/, "") + digest;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** A target's `path` as its parts. It comes from the configuration: what git would refuse is refused, not encoded. */
export function pathPrefixOf(path: string): readonly string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (encodePathPart(part) === part) continue;
    throw new KubescribeError(
      "git-path-invalid",
      `the target's path ${JSON.stringify(path)} has the part ${JSON.stringify(part)}: ` +
        "use letters, digits and _ + = @ , - . only, with no dot at either end",
      { retry: "never" },
    );
  }
  return parts;
}

/** One part of a ref name (git-check-ref-format); different ids give different parts. */
export function refPartOf(id: string): string {
  const part = Buffer.from(id, "utf8")
    .toString("latin1")
    .replaceAll(/[^A-Za-z0-9_-]/g, percent);
  if (part.length <= 150 && part !== "" && id.isWellFormed()) return part;
  return `${part.slice(0, 80).replace(/%[0-9A-F]?$/, "")}%_${hash("sha256", Buffer.from(id, "utf16le"), "hex")}`;
}
