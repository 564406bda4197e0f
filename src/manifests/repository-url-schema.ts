/** `spec.url` of a GitRepoConfig, as src/config/repository-url.ts reads it; what only a parser of URLs can tell, the process tells. */

import type { Schema } from "./schema.ts";
import { text } from "./schema.ts";

const expected =
  "expected file:///absolute/path/of/a/repository.git, https://HOST/PATH.git, ssh://USER@HOST/PATH.git or USER@HOST:PATH.git";
const remote = "(?i)^(https?|ssh)://";

const forms = [
  String.raw`self.matches(r'${remote}[^/?#\s]+/\S+$')`,
  String.raw`self.matches(r'^[^/:@\s]+@[^/:\s]+:[^/\p{Cc}][^\p{Cc}]*$')`,
  String.raw`(self.matches(r'^/[^\p{Cc}]*$') && !self.contains('://') && !self.split('/').all(p, p in ['', '.', '..']))`,
  String.raw`(self.matches(r'(?i)^file:(//(localhost)?/|/[^/]|[^/])[^?#\\\p{Cc}]*$') && !self.matches(r'(?i)^file:(//(localhost)?)?(\.{0,2}/)*\.{0,2}$'))`,
];

export const repositoryUrl: Schema = text(
  "A repository on the disk of the process (file:///absolute/path), or a remote (https://, ssh://, USER@HOST:PATH).",
  [
    {
      rule: "!self.matches(r'(?i)^git://')",
      message: "expected https:// or ssh://: over git:// nothing can be pushed safely",
    },
    {
      rule: `!self.matches(r'${remote}[^/?#]*:[^/?#]+@')`,
      message: "expected a URL without a password: put it into the Secret that secretRef names",
      secret: true,
    },
    {
      rule: `!self.matches(r'${remote}[^?#]*[?#]')`,
      message: "expected a URL without a query and a fragment",
      secret: true,
    },
    { rule: `self.matches(r'(?i)^git://') || ${forms.join(" || ")}`, message: expected },
  ],
  { maxLength: 2048 },
);
