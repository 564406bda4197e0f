/** The spec of a GitRepoConfig. What a later release will do is refused with a word on it, never ignored. */

import type { AuthorConfig, GitRepoConfig, Metadata, PersonConfig, SecretsConfig, SigningConfig } from "./documents.ts";
import type { Field } from "./field.ts";
import { isName, isNamespace, nameExpected } from "./kubernetes-names.ts";
import { quoted } from "./problem.ts";
import { repositoryOf, urlExpected } from "./repository-url.ts";

const defaultNamespace = "default";
const defaultBranch = "main";

export function decodeRepository(spec: Field, metadata: Metadata): GitRepoConfig | null {
  const fields = spec.fields({
    known: ["url", "branch", "path", "secretRef", "author", "commit", "push", "secrets", "allowedNamespaces"],
  });
  const url = fields.get("url");
  const place = url === undefined ? spec.problem(`url is missing: expected ${urlExpected}`) : repositoryOf(url);
  const branch = decodeBranch(fields.get("branch"));
  const path = decodePath(fields.get("path"));
  const author = decodeAuthor(fields.get("author"));
  const secret = decodeSecretRef(
    fields.get("secretRef"),
    metadata.namespace === "" ? defaultNamespace : metadata.namespace,
  );
  const pushIntervalSeconds = decodePush(fields.get("push"));
  const { committer, signing } = decodeCommit(fields.get("commit"));
  const secrets = decodeSecrets(fields.get("secrets"));
  const allowedNamespaces = decodeAllowed(fields.get("allowedNamespaces"));
  if (place === null || branch === null || path === null) return null;
  const namespace = metadata.namespace === "" ? defaultNamespace : metadata.namespace;
  const { repository, remote } = place;
  return {
    kind: "GitRepoConfig",
    place: spec.place,
    name: metadata.name,
    namespace,
    repository,
    remote: remote ? { url: repository, secret, pushIntervalSeconds } : null,
    branch,
    path,
    author,
    committer,
    signing,
    secrets,
    allowedNamespaces,
  };
}

function decodeAllowed(field: Field | undefined): readonly string[] {
  const expected = 'namespaces whose WatchRules may name this repository, or "*"';
  return (field?.strings(expected) ?? []).flatMap((item) => {
    const text = item.string(expected);
    if (text === null) return [];
    if (text === "*" || isNamespace(text)) return [text];
    item.problem(`expected ${expected}, found ${quoted(text)}`);
    return [];
  });
}

/** git-check-ref-format(1), and nothing that a shell or a file system could misread. */
function decodeBranch(field: Field | undefined): string | null {
  if (field === undefined) return defaultBranch;
  const expected = "a branch name such as main or clusters/prod, without refs/heads/";
  const text = field.string(expected);
  if (text === null) return null;
  const wrong =
    text.length > 200 ||
    text.startsWith("refs/") ||
    text === "HEAD" ||
    !/^[A-Za-z0-9_+=@%,.-]+(?:\/[A-Za-z0-9_+=@%,.-]+)*$/.test(text) ||
    text
      .split("/")
      .some((part) => part.startsWith(".") || part.startsWith("-") || part.endsWith(".") || part.endsWith(".lock")) ||
    text.includes("..") ||
    text === "@";
  return wrong ? field.problem(`expected ${expected}, found ${quoted(text)}`) : text;
}

function decodePath(field: Field | undefined): string | null {
  if (field === undefined) return "";
  const expected = "a path in the repository such as clusters/prod (no leading slash, no ..)";
  const text = field.string(expected);
  if (text === null) return null;
  const path = text.endsWith("/") && text !== "/" ? text.slice(0, -1) : text;
  if (path === "" || path === ".") return "";
  const parts = path.split("/");
  const wrong = path.length > 1000 || parts.some((part) => !isPathPart(part));
  return wrong ? field.problem(`expected ${expected}, found ${quoted(text)}`) : path;
}

/** A name that every checkout can hold (src/git encodes such characters; here a person can choose others). */
function isPathPart(part: string): boolean {
  const device = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)/i;
  return (
    part.length <= 200 &&
    /^[A-Za-z0-9_+=@,-](?:[A-Za-z0-9_+=@,.-]*[A-Za-z0-9_+=@,-])?$/.test(part) &&
    !device.test(part)
  );
}

function decodeAuthor(field: Field | undefined): AuthorConfig {
  const none: AuthorConfig = { nameClaim: null, emailClaim: null, emailDomain: null };
  if (field === undefined) return none;
  const fields = field.fields({ known: ["nameClaim", "emailClaim", "emailDomain"] });
  const nameClaim = decodeClaim(fields.get("nameClaim"));
  const emailClaim = decodeClaim(fields.get("emailClaim"));
  return { nameClaim, emailClaim, emailDomain: decodeDomain(fields.get("emailDomain")) };
}

/** A key of `userInfo.extra`: whatever the cluster's authenticator puts there. */
function decodeClaim(field: Field | undefined): string | null {
  const expected = "a key of the review's userInfo.extra, such as example.com/email";
  const text = field?.string(expected) ?? null;
  if (text === null) return null;
  if (text === "" || text.length > 253) return field?.problem(`expected ${expected}, found ${quoted(text)}`) ?? null;
  return text;
}

function decodeDomain(field: Field | undefined): string | null {
  const expected = "a domain such as example.com";
  const text = field?.string(expected) ?? null;
  if (field === undefined || text === null) return null;
  return isName(text.toLowerCase()) ? text : field.problem(`expected ${expected}, found ${quoted(text)}`);
}

function decodeCommit(field: Field | undefined): Pick<GitRepoConfig, "committer" | "signing"> {
  if (field === undefined) return { committer: null, signing: null };
  const batching = "not yet: each change is one commit; commits of several changes come later";
  const refused = {
    batch: batching,
    batchWindow: batching,
    batchWindowMs: batching,
  };
  const fields = field.fields({ known: ["committer", "signing"], refused });
  return { committer: decodeCommitter(fields.get("committer")), signing: decodeSigning(fields.get("signing")) };
}

function decodeCommitter(committer: Field | undefined): PersonConfig | null {
  if (committer === undefined) return null;
  const fields = committer.fields({ known: ["name", "email"] });
  const name = decodeIdentity(committer, fields.get("name"), {
    key: "name",
    expected: "a name without < and >",
    pattern: /^[^<>\p{Cc}]{1,200}$/u,
  });
  const email = decodeIdentity(committer, fields.get("email"), {
    key: "email",
    expected: "an e-mail address",
    pattern: /^[^<>\s\p{Cc}]{1,200}$/u,
  });
  return name === null || email === null ? null : { name, email };
}

function decodeSigning(field: Field | undefined): SigningConfig | null {
  if (field === undefined) return null;
  const fields = field.fields({ known: ["sshKeyFile", "passphraseFile"] });
  const keyFile = fields.get("sshKeyFile");
  if (keyFile === undefined) return field.problem("sshKeyFile is missing: expected the path of a private SSH key");
  const sshKeyFile = decodeFile(keyFile);
  const passphrase = fields.get("passphraseFile");
  const passphraseFile = passphrase === undefined ? null : decodeFile(passphrase);
  return sshKeyFile === null ? null : { sshKeyFile, passphraseFile };
}

function decodeFile(field: Field): string | null {
  const expected = "an absolute path such as /etc/kubescribe/signing-key";
  const text = field.string(expected);
  if (text === null || (text.startsWith("/") && !text.includes("\0"))) return text;
  return field.problem(`expected ${expected}, found ${quoted(text)}`);
}

function decodeIdentity(
  parent: Field,
  field: Field | undefined,
  rule: { readonly key: string; readonly expected: string; readonly pattern: RegExp },
): string | null {
  if (field === undefined) return parent.problem(`${rule.key} is missing: expected ${rule.expected}`);
  const text = field.string(rule.expected);
  if (text === null) return null;
  return rule.pattern.test(text) ? text : field.problem(`expected ${rule.expected}, found ${quoted(text)}`);
}

/** Where the credentials of a remote are; a repository on disk needs none. A Secret of another namespace is nobody's to lend. */
function decodeSecretRef(field: Field | undefined, namespace: string): string | null {
  if (field === undefined) return null;
  const name = field.fields({ known: ["name"] }).get("name");
  if (name === undefined) return field.problem("name is missing: expected the name of a Secret");
  const text = name.string(nameExpected);
  if (text === null) return null;
  return isName(text) ? `${namespace}/${text}` : name.problem(`expected ${nameExpected}, found ${quoted(text)}`);
}

const defaultPushIntervalSeconds = 1;

function decodePush(field: Field | undefined): number {
  const interval = field?.fields({ known: ["intervalSeconds"] }).get("intervalSeconds");
  return interval?.wholeNumber({ from: 0, to: 3600, unit: "seconds" }) ?? defaultPushIntervalSeconds;
}

/** `secrets: omit`, or a map where a policy needs more. */
function decodeSecrets(field: Field | undefined): SecretsConfig {
  if (field === undefined) return { policy: "omit" };
  if (!field.isMap) return secretsOf(field, undefined);
  const fields = field.fields({ known: ["policy", "recipients"] });
  const policy = fields.get("policy");
  if (policy !== undefined) return secretsOf(policy, fields.get("recipients"));
  field.problem("policy is missing: expected one of omit, encrypt, keep");
  return { policy: "omit" };
}

function secretsOf(policy: Field, recipients: Field | undefined): SecretsConfig {
  const name = policy.oneOf(["omit", "encrypt", "keep"]) ?? "omit";
  if (name === "encrypt") return { policy: name, recipients: decodeRecipients(policy, recipients) };
  recipients?.problemAtKey(`only the policy encrypt has recipients, found ${name}`);
  return { policy: name };
}

/** Of age, in the file that it is kept in, or cut out of it. */
const identity = /AGE-(?:SECRET-KEY|PLUGIN)-/i;

function decodeRecipients(policy: Field, field: Field | undefined): readonly string[] {
  const expected = "recipients of age such as age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
  if (field === undefined) {
    policy.problem(
      `encrypt needs recipients: expected {policy: encrypt, recipients: [age1...]}, a list of ${expected}`,
    );
    return [];
  }
  const recipients = new Set<string>();
  for (const item of field.strings(expected)) {
    const text = item.string(expected);
    if (text === null) continue;
    if (identity.test(text)) {
      // Whoever has it reads all Secrets: it is not quoted.
      item.problem(
        "expected a recipient, found the identity of one, which is private: age-keygen -y shows its recipient",
      );
    } else if (!/^age1[02-9ac-hj-np-z]{58}$/.test(text)) item.problem(`expected ${expected}, found ${quoted(text)}`);
    else recipients.add(text);
  }
  return [...recipients].toSorted();
}
