import { isAbsolute, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { Field } from "./field.ts";
import { quoted } from "./problem.ts";

export const urlExpected =
  "file:///absolute/path/of/a/repository.git, https://HOST/PATH.git, ssh://USER@HOST/PATH.git or USER@HOST:PATH.git";

export interface RepositoryPlace {
  /** Of a repository on this machine's disk, its absolute path, normalised; of a remote, its URL. */
  readonly repository: string;
  readonly remote: boolean;
}

/** Where a repository's URL leads, or null and a problem. A remote's URL is checked again by whoever connects to it. */
export function repositoryOf(field: Field): RepositoryPlace | null {
  const url = field.string(urlExpected);
  if (url === null) return null;
  // A parser of URLs takes them out: what is shown would not be what is connected to.
  if (/\p{Cc}/u.test(url)) return field.problem(`expected ${urlExpected}, found one with control characters`);
  if (/^(?:https?|ssh|git):\/\//i.test(url)) return remoteAt(field, url);
  if (/^[^/:@\s]+@[^/:\s]+:[^/]/.test(url)) return { repository: url, remote: true };
  const path = pathOf(url);
  if (path === null || !isAbsolute(path)) {
    return field.problem(`expected ${urlExpected}, found ${quoted(url)}`);
  }
  const normal = normalize(path);
  if (normal === "/") return field.problem(`expected ${urlExpected}, found the root of the file system`);
  return { repository: normal.endsWith("/") ? normal.slice(0, -1) : normal, remote: false };
}

/** No part of the URL is shown: it may hold a password. */
function remoteAt(field: Field, url: string): RepositoryPlace | null {
  if (/[\s\\]/.test(url)) return field.problem(`expected ${urlExpected}, found a URL with blanks or backslashes`);
  const parsed = URL.canParse(url) && /^[a-z]+:\/\/[^/]/i.test(url) ? new URL(url) : null;
  if (parsed === null || parsed.hostname === "" || parsed.pathname.length < 2)
    return field.problem(`expected ${urlExpected}, found a URL without a host or a path`);
  if (parsed.protocol === "git:")
    return field.problem(`expected ${urlExpected}, found git://, over which nothing can be pushed safely`);
  if (parsed.password !== "")
    return field.problem("expected a URL without a password: put it into the Secret that secretRef names");
  if (/[?#]/.test(url)) return field.problem(`expected ${urlExpected}, found one with a query or a fragment`);
  return { repository: url, remote: true };
}

function pathOf(url: string): string | null {
  if (!url.toLowerCase().startsWith("file:")) return url.includes("://") ? null : url;
  try {
    const parsed = new URL(url);
    const host = parsed.hostname === "" || parsed.hostname === "localhost";
    return host && !/[?#\\]/.test(url) ? fileURLToPath(parsed) : null;
  } catch {
    // Whatever it is, it is not a file URL: the caller says so.
    return null;
  }
}
