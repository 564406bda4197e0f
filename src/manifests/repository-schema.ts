/** The spec of a GitRepoConfig, as src/config/decode-repository.ts reads it. */

import { repositoryUrl } from "./repository-url-schema.ts";
import type { Schema } from "./schema.ts";
import { isName, isNamespace, list, map, name, nameLength, namespaceLength, text } from "./schema.ts";
import { secretsSchema } from "./secrets-schema.ts";

export const repositorySpec: Schema = map(
  "Where changes go.",
  {
    url: repositoryUrl,
    branch: branchSchema(),
    path: pathSchema(),
    secretRef: map(
      "The Secret of the same namespace that holds the credentials of a remote.",
      { name: name("Its name.") },
      { required: ["name"] },
    ),
    author: authorSchema(),
    commit: commitSchema(),
    push: map("When a remote is pushed to.", {
      intervalSeconds: {
        type: "integer",
        format: "int64",
        description: "From one push to the next, at least. The first change after a quiet time is pushed at once.",
        minimum: 0,
        maximum: 3600,
        default: 1,
      },
    }),
    secrets: secretsSchema,
    allowedNamespaces: list(
      'Namespaces whose WatchRules may name this repository, or "*".',
      text(
        "A namespace.",
        [
          {
            rule: `self == '*' || ${isNamespace("self")}`,
            message: 'expected namespaces whose WatchRules may name this repository, or "*"',
          },
        ],
        { maxLength: namespaceLength },
      ),
      { minItems: 1, maxItems: 1000 },
    ),
  },
  { required: ["url"] },
);

function branchSchema(): Schema {
  const word = "[A-Za-z0-9_+=@%,.-]+";
  const parts = "!p.startsWith('.') && !p.startsWith('-') && !p.endsWith('.') && !p.endsWith('.lock')";
  const rule =
    `!self.startsWith('refs/') && self != 'HEAD' && self != '@' && !self.contains('..') && ` +
    `self.matches(r'^${word}(/${word})*$') && self.split('/').all(p, ${parts})`;
  const message = "expected a branch name such as main or clusters/prod, without refs/heads/";
  return text("The branch, without refs/heads/.", [{ rule, message }], { maxLength: 200, default: "main" });
}

/** Names that every checkout can hold. One expression for all of it: the API server reckons what it costs to look at each part. */
function pathSchema(): Schema {
  const part = "[A-Za-z0-9_+=@,-]([A-Za-z0-9_+=@,.-]*[A-Za-z0-9_+=@,-])?";
  const device = "(?i)(^|/)(con|prn|aux|nul|com[0-9]|lpt[0-9])([./]|$)";
  const parts = `self.matches(r'^${part}(/${part})*/?$') && !self.matches(r'${device}') && !self.matches(r'[^/]{201}')`;
  const rule = `self in ['', '.', './'] || (${parts} && (self.size() <= 1000 || self.endsWith('/')))`;
  const message = "expected a path in the repository such as clusters/prod (no leading slash, no ..)";
  return text("Directory in the repository; the root when it is left out.", [{ rule, message }], { maxLength: 1001 });
}

function authorSchema(): Schema {
  const claim = (what: string): Schema =>
    text(`Key of the review's userInfo.extra that holds ${what}.`, [], { minLength: 1, maxLength: nameLength });
  const domain = [{ rule: isName("self.lowerAscii()"), message: "expected a domain such as example.com" }];
  return map("How authors are named.", {
    nameClaim: claim("the author's name"),
    emailClaim: claim("the author's e-mail address"),
    emailDomain: text("Domain of the addresses of users who have none.", domain, { maxLength: nameLength }),
  });
}

function commitSchema(): Schema {
  const nameRule = { rule: String.raw`self.matches(r'^[^<>\p{Cc}]+$')`, message: "expected a name without < and >" };
  const emailRule = {
    rule: String.raw`self.matches(r'^[^<>\s\p{Z}\x{feff}\p{Cc}]+$')`,
    message: "expected an e-mail address",
  };
  const committer = map(
    "Who commits; kubescribe when it is left out.",
    {
      name: text("The committer's name.", [nameRule], { maxLength: 200 }),
      email: text("The committer's e-mail address.", [emailRule], { maxLength: 200 }),
    },
    { required: ["name", "email"] },
  );
  const signing = map(
    "Commits are signed with an SSH key.",
    {
      sshKeyFile: fileSchema("Absolute path of the private key, where the process runs."),
      passphraseFile: fileSchema("Absolute path of a file with its passphrase."),
    },
    { required: ["sshKeyFile"] },
  );
  return map("How commits are made.", { committer, signing });
}

function fileSchema(description: string): Schema {
  const message = "expected an absolute path such as /etc/kubescribe/signing-key";
  return text(description, [{ rule: String.raw`self.matches(r'^/[^\x00]*$')`, message }], { maxLength: 4096 });
}
