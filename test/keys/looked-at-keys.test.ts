/** Where `verify` finds the keys of what it looks at. */

import { describe, expect, test } from "vitest";

import { inquiryOf } from "../../src/commands/cluster-inquiry.ts";
import { LookedAtKeys } from "../../src/composition/looked-at-keys.ts";
import { installationKeyText } from "../../src/keys/installation-key.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { FakeApi } from "../kubernetes/fake-api.ts";

const secretPath = "/api/v1/namespaces/audit/secrets/kubescribe-keys";
const [inSecret, inDirectory, named] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));

interface Place {
  /** Its text in the Secret; a number: the status of the Secret. */
  readonly secret?: string | number;
  readonly directory?: string;
  readonly file?: string;
}

async function keysOf({ secret = 404, directory, file }: Place): Promise<{ keys: LookedAtKeys; api: FakeApi }> {
  const files = new MemoryFileSystem(createSimulatedClock());
  await files.makeDirectory("/data");
  for (const [path, text] of [["/data/installation.key", directory] as const, ["/named", file] as const]) {
    if (text === undefined) continue;
    await using handle = await files.open(path, "create");
    await handle.write(Buffer.from(text));
  }
  const api = new FakeApi((path) => {
    if (path !== secretPath || typeof secret === "number") return { status: Number(secret), body: "{}" };
    return { body: JSON.stringify({ data: { "installation.key": Buffer.from(secret).toString("base64") } }) };
  });
  const installation = { namespace: "audit", get: inquiryOf(api, new AbortController().signal).get };
  const place = { dataDir: "/data", installationKeyFile: file === undefined ? null : "/named" };
  return { keys: new LookedAtKeys({ files, place, installation }), api };
}

const text = (key: Uint8Array | undefined): string => installationKeyText(key ?? new Uint8Array());

describe("the installation key that is looked at", () => {
  test.each<readonly [string, Place, Uint8Array | undefined]>([
    [
      "the Secret's, whatever the data directory has",
      { secret: text(inSecret), directory: text(inDirectory) },
      inSecret,
    ],
    ["the data directory's, where there is no Secret", { directory: text(inDirectory) }, inDirectory],
    ["the data directory's, where the Secret is empty", { secret: "", directory: text(inDirectory) }, inDirectory],
    [
      "the data directory's, where the Secret cannot be read",
      { secret: 403, directory: text(inDirectory) },
      inDirectory,
    ],
    ["the one of a file that was named", { secret: text(inSecret), file: text(named) }, named],
  ])("is %s", async (_, place, expected) => {
    const { keys } = await keysOf(place);
    expect(Buffer.from(await keys.installationKey())).toEqual(expected);
  });

  test("is asked for once", async () => {
    const { keys, api } = await keysOf({ secret: text(inSecret) });
    await Promise.all([keys.installationKey(), keys.installationKey()]);
    expect(api.paths).toEqual([secretPath]);
  });

  test.each<readonly [string, Place, RegExp]>([
    [
      "there is none",
      {},
      /^Secret audit\/kubescribe-keys \(there is none\) or \/data\/installation\.key: expected the installation key, found no such file\. Name the installation's namespace with --namespace/,
    ],
    ["one may not read it", { secret: 403 }, /\(not readable: status 403\) or /],
    [
      "it is damaged, and it is not quoted",
      { secret: "hidden" },
      /^Secret audit\/kubescribe-keys: installation\.key: expected 64 hex digits, found 6 other bytes/,
    ],
  ])("is refused where %s", async (_, place, expected) => {
    const { keys } = await keysOf(place);
    const refused = keys.installationKey();
    await expect(refused).rejects.toMatchObject({ code: "configuration-invalid" });
    await expect(refused).rejects.toThrow(expected);
  });
});
