import { isAbsolute, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { Field } from "./field.ts";
import { quoted } from "./problem.ts";

const expected = "file:///absolute/path/of/a/repository.git";

/** The absolute path that a repository's URL names, or null and a problem. Here only repositories on disk can be written. */
export function repositoryOf(field: Field): string | null {
  const url = field.string(expected);
  if (url === null) return null;
  if (/^(?:https?|ssh|git):\/\//i.test(url) || /^[^/:@]+@[^/:]+:/.test(url)) {
    // No part of the URL is shown: it may hold a password.
    return field.problem(
      `not yet: remotes come later. Expected ${expected}, found the URL of a remote; git push from there`,
    );
  }
  const path = pathOf(url);
  if (path === null || !isAbsolute(path) || /\p{Cc}/u.test(path)) {
    return field.problem(`expected ${expected}, found ${quoted(url)}`);
  }
  const normal = normalize(path);
  if (normal === "/") return field.problem(`expected ${expected}, found the root of the file system`);
  return normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

function pathOf(url: string): string | null {
  if (!url.toLowerCase().startsWith("file:")) return url.includes("://") ? null : url;
  try {
    const parsed = new URL(url);
    const host = parsed.hostname === "" || parsed.hostname === "localhost";
    return host && parsed.search === "" && parsed.hash === "" ? fileURLToPath(parsed) : null;
  } catch {
    // Whatever it is, it is not a file URL: the caller says so.
    return null;
  }
}
