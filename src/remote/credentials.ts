/**
 * What opens a remote, from a directory of files as a Secret is mounted. The names are those that Kubernetes' basic-auth and
 * ssh-auth Secrets, Flux and Argo CD use. Read anew for each connection: a Secret changes under us.
 */

import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";

export interface Credentials {
  readonly http: HttpCredentials | null;
  /** PEM. Where it is there, it alone is trusted; null: what Node trusts. */
  readonly caPem: string | null;
  readonly ssh: SshIdentity | null;
  /** The text of a known_hosts file, or null. */
  readonly knownHosts: string | null;
}

export type HttpCredentials =
  /** `username` is empty where the URL is to name it. */
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "bearer"; readonly token: string };

export interface SshIdentity {
  /** PEM, or OpenSSH's own format. */
  readonly privateKey: string;
  /** Empty where the key has none. */
  readonly passphrase: string;
}

export const noCredentials: Credentials = { http: null, caPem: null, ssh: null, knownHosts: null };

/** Of a file: a key or a bundle of CAs is smaller, a device never ends. */
const fileLimitBytes = 1 << 20;

const names = {
  username: ["username"],
  password: ["password"],
  bearer: ["bearerToken"],
  token: ["token"],
  ca: ["ca.crt"],
  key: ["ssh-privatekey", "identity", "sshPrivateKey"],
  passphrase: ["passphrase"],
  knownHosts: ["known_hosts"],
} as const;

const expectedNames =
  "username and password, token, bearerToken, ca.crt, ssh-privatekey or identity, passphrase, known_hosts";

/**
 * `bearerToken` goes before `token` (sent as a basic password, as forges want it) before `password`. Throws `remote-credentials`, which
 * names files and shows nothing that is in them.
 */
export async function readCredentials(
  fs: Pick<FileSystem, "list" | "readFile" | "stat">,
  directory: string,
): Promise<Credentials> {
  const present = await listed(fs, directory);
  const read = async (kind: keyof typeof names): Promise<string | null> => {
    const name = names[kind].find((candidate) => present.has(candidate));
    return name === undefined ? null : await readSecret(fs, `${directory}/${name}`);
  };
  const [username, password, bearer, token] = [
    await read("username"),
    await read("password"),
    await read("bearer"),
    await read("token"),
  ];
  const [caPem, privateKey, passphrase, knownHosts] = [
    await read("ca"),
    await read("key"),
    await read("passphrase"),
    await read("knownHosts"),
  ];
  const secret = token ?? password;
  for (const [name, value] of Object.entries({ username, password, bearerToken: bearer, token })) {
    if (value !== null && /\p{Cc}/u.test(value)) throw malformed(`${directory}/${name}`, "one line of text");
  }
  if (caPem !== null && !caPem.includes("-----BEGIN CERTIFICATE-----"))
    throw malformed(`${directory}/ca.crt`, "PEM certificates");
  if (privateKey !== null && !privateKey.includes("-----BEGIN "))
    throw malformed(`${directory}'s key`, "a PEM private key");
  if (bearer === null && secret === null && caPem === null && privateKey === null && knownHosts === null) {
    throw invalid(`${directory} should hold some of ${expectedNames}, and holds none of them`);
  }
  const basic = secret === null ? null : ({ kind: "basic", username: username ?? "", password: secret } as const);
  return {
    http: bearer === null ? basic : { kind: "bearer", token: bearer },
    caPem,
    // Flux calls the passphrase of an identity its password.
    ssh: privateKey === null ? null : { privateKey, passphrase: passphrase ?? password ?? "" },
    knownHosts,
  };
}

async function listed(fs: Pick<FileSystem, "list">, directory: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await fs.list(directory));
  } catch (error) {
    throw invalid(
      `${directory} should be a directory with ${expectedNames}, and cannot be listed: ${codeOf(error)}`,
      error,
    );
  }
}

/** Without the line feed at the end that editors and `echo` leave. */
async function readSecret(fs: Pick<FileSystem, "readFile" | "stat">, path: string): Promise<string> {
  try {
    const { sizeBytes, directory } = await fs.stat(path);
    if (directory || sizeBytes > fileLimitBytes) throw malformed(path, `a file of at most ${fileLimitBytes >> 10} KiB`);
    const text = Buffer.from(await fs.readFile(path))
      .toString("utf8")
      .replace(/\r?\n$/, "");
    if (text === "") throw malformed(path, "something in it");
    return text;
  } catch (error) {
    if (error instanceof KubescribeError) throw error;
    throw invalid(`${path} cannot be read: ${codeOf(error)}. Check the Secret, and who may read the file`, error);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "an error";
}

function malformed(path: string, expected: string): KubescribeError {
  return invalid(`${path} should hold ${expected}, and does not`);
}

function invalid(message: string, cause?: unknown): KubescribeError {
  return new KubescribeError("remote-credentials", message, {
    retry: "backoff",
    ...(cause === undefined ? {} : { cause }),
  });
}
