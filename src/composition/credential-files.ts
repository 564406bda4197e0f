/**
 * The Secrets that repositories name, as files below --credentials-dir, where remotes look for them each time they connect. Owns that
 * directory: a memory file system, which nobody else writes.
 *
 * 1. Only Secrets are read that an accepted GitRepoConfig of the same namespace names, each by its name.
 * 2. A Secret that cannot be read any more leaves its files: the remote says whether they still serve.
 */
import { join } from "node:path";

import type { FileSystem } from "../../actors/ports.ts";
import type { ApiObjects } from "../kubernetes/objects.ts";
import { isObject } from "../kubernetes/objects.ts";
import { type Account, gitSecretRoleName, secretRoleYaml } from "../manifests/secret-role.ts";

export interface CredentialFilesOptions {
  readonly objects: Pick<ApiObjects, "get">;
  readonly files: FileSystem;
  /** Absolute. */
  readonly directory: string;
  /** The ServiceAccount of this process; null: it is not known. */
  readonly account: Account | null;
}

/** Why a Secret cannot be used; what to do is in it. */
export type CredentialTrouble = { readonly reason: "Missing" | "Forbidden" | "Unreachable"; readonly message: string };

export class CredentialFiles {
  readonly #options: CredentialFilesOptions;
  /** What stands in the files, by their paths. */
  readonly #written = new Map<string, string>();

  constructor(options: CredentialFilesOptions) {
    this.#options = options;
  }

  /** `secret` is `namespace/name`. Null: its files are as it is now. */
  async bring(secret: string, signal: AbortSignal): Promise<CredentialTrouble | null> {
    const [namespace = "", name = ""] = secret.split("/");
    const answer = await this.#options.objects
      .get(`/api/v1/namespaces/${namespace}/secrets/${name}`, signal)
      .catch((error: unknown) => ({ kind: "unreachable" as const, error }));
    switch (answer.kind) {
      case "done":
        await this.#write(secret, isObject(answer.object["data"]) ? answer.object["data"] : {});
        return null;
      case "absent":
        return { reason: "Missing", message: `spec.secretRef: there is no Secret ${name} in namespace ${namespace}` };
      case "refused":
        if (answer.status === 403) return { reason: "Forbidden", message: this.#missingRight(namespace, name) };
        return { reason: "Unreachable", message: `spec.secretRef: the API server answers ${answer.status}` };
      case "conflict":
      case "unreachable":
        return { reason: "Unreachable", message: "spec.secretRef: the API server does not answer" };
      default:
        return answer satisfies never;
    }
  }

  #missingRight(namespace: string, name: string): string {
    const account = this.#options.account ?? { name: "NAME", namespace: "NAMESPACE" };
    const role = gitSecretRoleName(account.name, name);
    const yaml = secretRoleYaml({ secret: { namespace, name }, role, verbs: ["get"], account });
    return `spec.secretRef: this process may not read the Secret; add:\n${yaml}`;
  }

  async #write(secret: string, data: Readonly<Record<string, unknown>>): Promise<void> {
    const { files, directory } = this.#options;
    const place = join(directory, secret);
    await files.makeDirectory(place);
    const present = new Set<string>();
    for (const [key, value] of Object.entries(data)) {
      // Names that the API server allows have no slash in them, and are not taken at its word.
      if (typeof value !== "string" || !/^[-._a-zA-Z0-9]+$/.test(key) || /^\.+$/.test(key)) continue;
      present.add(key);
      const path = join(place, key);
      if (this.#written.get(path) === value) continue;
      // A connection that is made meanwhile must not read half of it.
      const temporary = `${path}.new`;
      {
        await using file = await files.open(temporary, "create-private");
        await file.write(Buffer.from(value, "base64"));
      }
      await files.rename(temporary, path);
      this.#written.set(path, value);
    }
    for (const name of await files.list(place)) {
      if (present.has(name)) continue;
      await files.remove(join(place, name));
      this.#written.delete(join(place, name));
    }
  }
}
