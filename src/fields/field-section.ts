/** The lines of one field in canonical YAML, without parsing: what is equal there need not be parsed to be known as unchanged. */

/**
 * Null where the lines do not tell: there is no such key, or it may be written in another way. Keys that YAML writes without quotes
 * only; lists stand at the indentation of their key, as `canonicalYaml` writes them.
 */
export function sectionOf(text: string, keys: readonly string[]): string | null {
  if (!isBlockMap(text) || keys.length === 0) return null;
  let section = text;
  for (const [depth, key] of keys.entries()) {
    if (!bareKey.test(key)) return null;
    const found = blockOf(section, `${"  ".repeat(depth)}${key}:`, depth * 2);
    if (found === null || (depth < keys.length - 1 && !holdsMap(found, depth))) return null;
    section = found;
  }
  return section;
}

const bareKey = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** The API server's JSON, which stands where a file could not be sanitized, has no lines. */
function isBlockMap(text: string): boolean {
  return bareKey.test(text.slice(0, 1));
}

/** From the line that begins so to the last that belongs to it. */
function blockOf(text: string, head: string, indent: number): string | null {
  const from = text.startsWith(head) ? 0 : text.indexOf(`\n${head}`) + 1;
  if (!text.startsWith(head, from)) return null;
  let end = text.indexOf("\n", from);
  while (end >= 0 && end + 1 < text.length && belongs(text, end + 1, indent)) end = text.indexOf("\n", end + 1);
  return end < 0 ? text.slice(from) : text.slice(from, end + 1);
}

/** A map follows on the next line: no text of several lines, no list. */
function holdsMap(section: string, depth: number): boolean {
  const next = section.indexOf("\n") + 1;
  const indent = "  ".repeat(depth + 1);
  return (
    section[next - 2] === ":" && section.startsWith(indent, next) && !/[ -]/.test(section[next + indent.length] ?? "")
  );
}

/** The line is deeper, blank (inside a text of several lines), or an item of a list at the key's own indentation. */
function belongs(text: string, at: number, indent: number): boolean {
  let spaces = 0;
  while (text[at + spaces] === " ") spaces++;
  const first = text[at + spaces];
  return spaces > indent || first === "\n" || (spaces === indent && first === "-" && text[at + spaces + 1] === " ");
}
