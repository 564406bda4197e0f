/** The Secret as the kubelet mounts it: credentials for a process that has not reached the API server yet. */

import type { FileSystem } from "../../actors/ports.ts";
import type { WebhookCredentials } from "../../machines/webhook-credentials.ts";
import { credentialNames, readCredentialTexts } from "./credential-texts.ts";

/**
 * Null where they are not complete: not there, still empty, or in the middle of being exchanged. The Secret itself, read by the API,
 * is fresher and will do.
 */
export async function readMountedCredentials(
  directory: string,
  host: string,
  files: Pick<FileSystem, "readFile">,
): Promise<WebhookCredentials | null> {
  const texts = await Promise.all(
    credentialNames.map(async (name) => {
      try {
        return [name, Buffer.from(await files.readFile(`${directory}/${name}`)).toString("utf8")];
      } catch {
        return [name, ""];
      }
    }),
  );
  const read = readCredentialTexts(Object.fromEntries(texts) as Record<string, string>, host);
  return read.kind === "usable" ? read.credentials : null;
}
