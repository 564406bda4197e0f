/** What `--allow` lets custom resources name: a prefix that ends where a part of a path does. Pure. */

/** `https://git.example.com` allows nothing of `https://git.example.com.evil.net`. */
export function isAllowed(text: string, allow: readonly string[]): boolean {
  return allow.some((prefix) => text === prefix || text.startsWith(/[/:]$/.test(prefix) ? prefix : `${prefix}/`));
}
