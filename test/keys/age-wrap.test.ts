/** Data keys of SOPS documents: wrapped once for each set of recipients, and what stands in for sops -d where it is not built. */

import { createDecipheriv, createHash } from "node:crypto";
import { armor, Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

import { LookedAtKeys } from "../../src/composition/looked-at-keys.ts";
import { lookedAtSecrets, openSecretKeys, type SecretOptionsOf } from "../../src/composition/secret-options.ts";
import { checkRecipients } from "../../src/keys/age-wrap.ts";
import { replacePrivateFile } from "../../src/keys/private-file.ts";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { FakeLog } from "../fakes/branch-world.ts";

const place = { installationKeyFile: null, dataDir: "/data" };
const ann = await generateX25519Identity();
const bob = await generateX25519Identity();
const [annRecipient = "", bobRecipient = ""] = await Promise.all([ann, bob].map(identityToRecipient));

const secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "token", namespace: "shop", labels: { app: "a" }, annotations: { data: "under a matching name" } },
  data: { "a.key": "Zmlyc3Q=", b: "c2Vjb25k", empty: "" },
  immutable: true,
  type: "Opaque",
};

async function emptyDisk(): Promise<MemoryFileSystem> {
  const files = new MemoryFileSystem(createSimulatedClock());
  await files.makeDirectory("/data");
  await files.syncDirectory("/");
  return files;
}

/** A process that begins on a disk. */
function started(files: MemoryFileSystem): Promise<SecretOptionsOf> {
  const log = new FakeLog();
  const newKey = (): Uint8Array => Buffer.alloc(32, 7);
  return openSecretKeys({ files, clock: createSimulatedClock(), log, place, newKey });
}

async function written(
  secretOptionsOf: SecretOptionsOf,
  recipients: readonly string[],
  object: unknown = secret,
): Promise<string> {
  const config = { secrets: { policy: "encrypt", recipients } } as const;
  const secrets = await secretOptionsOf({ config }, "cluster");
  const { yaml } = manifestOf(Buffer.from(JSON.stringify(object)), { group: "", kind: "Secret", secrets });
  return Buffer.from(yaml).toString();
}

interface SopsDocument {
  readonly data: Readonly<Record<string, string>>;
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly sops: {
    readonly age: readonly { readonly recipient: string; readonly enc: string }[];
    readonly lastmodified: string;
    readonly mac: string;
  };
}

async function dataKeyOf({ sops }: SopsDocument, identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const recipient = await identityToRecipient(identity);
  const enc = sops.age.find((key) => key.recipient === recipient)?.enc ?? "";
  return await decrypter.decrypt(armor.decode(enc));
}

function decrypted(value: string, boundTo: string, key: Uint8Array): string {
  const [, data = "", iv = "", tag = ""] = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:str\]$/.exec(value) ?? [];
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64"));
  decipher.setAAD(Buffer.from(boundTo)).setAuthTag(Buffer.from(tag, "base64"));
  return decipher.update(data, "base64", "utf8") + decipher.final("utf8");
}

describe("an encrypted Secret", () => {
  test("can be read by each recipient, and by nobody else", async () => {
    const document = parse(
      await written(await started(await emptyDisk()), [annRecipient, bobRecipient]),
    ) as SopsDocument;
    const keys = await Promise.all([ann, bob].map((identity) => dataKeyOf(document, identity)));
    expect(keys[0]).toEqual(keys[1]);
    for (const key of keys) {
      expect(decrypted(document.data["a.key"] ?? "", "data:a.key:", key)).toBe("Zmlyc3Q=");
      expect(decrypted(document.data["b"] ?? "", "data:b:", key)).toBe("c2Vjb25k");
      const annotation = document.metadata.annotations["data"] ?? "";
      expect(decrypted(annotation, "metadata:annotations:data:", key)).toBe("under a matching name");
      expect(document.data["empty"]).toBe("");
      const values = [
        "v1",
        "Secret",
        "under a matching name",
        "a",
        "token",
        "shop",
        "Zmlyc3Q=",
        "c2Vjb25k",
        "",
        "True",
        "Opaque",
      ];
      const mac = createHash("sha512").update(values.join("")).digest("hex").toUpperCase();
      expect(decrypted(document.sops.mac, document.sops.lastmodified, key)).toBe(mac);
    }
    const stranger = await generateX25519Identity();
    const decrypter = new Decrypter();
    decrypter.addIdentity(stranger);
    for (const { enc } of document.sops.age) await expect(decrypter.decrypt(armor.decode(enc))).rejects.toThrow();
  });

  test("has the same bytes for the same values, in the next process too", async () => {
    const files = await emptyDisk();
    const first = await written(await started(files), [annRecipient]);
    files.restart("power");
    const next = await started(files);
    expect(await written(next, [annRecipient])).toBe(first);
    const changed = await written(next, [annRecipient], { ...secret, data: { ...secret.data, b: "b3RoZXI=" } });
    const before = first.split("\n");
    const lines = changed.split("\n").filter((line) => !before.includes(line));
    expect(lines.map((line) => line.replace(/: ENC.*/, ""))).toEqual(["  b", "  mac"]);
  });

  test("has one data key for two targets that want it at once", async () => {
    const options = await started(await emptyDisk());
    const target = { config: { secrets: { policy: "encrypt", recipients: [annRecipient] } } } as const;
    const [one, two] = await Promise.all([options(target, "cluster"), options(target, "cluster")]);
    expect(one).toEqual(two);
  });

  test("shows nowhere that two values are equal", async () => {
    const options = await started(await emptyDisk());
    const data = { a: "c2FtZQ==", b: "c2FtZQ==" };
    const names = ["x", "y"].map((name) => ({ ...secret, data, metadata: { name, namespace: "shop" } }));
    const texts = await Promise.all(names.map((object) => written(options, [annRecipient], object)));
    const parts = texts.flatMap((text) => [...text.matchAll(/(?:data|iv|tag):([\w+/=]+)/g)].map(([, part]) => part));
    expect(parts).toHaveLength(18);
    expect(new Set(parts).size).toBe(18);
  });

  test("cannot be read by who is a recipient no more", async () => {
    const options = await started(await emptyDisk());
    const both = parse(await written(options, [annRecipient, bobRecipient])) as SopsDocument;
    const alone = parse(await written(options, [annRecipient])) as SopsDocument;
    expect(alone.sops.age.map(({ recipient }) => recipient)).toEqual([annRecipient]);
    const bobsKey = await dataKeyOf(both, bob);
    expect(() => decrypted(alone.data["b"] ?? "", "data:b:", bobsKey)).toThrow();
  });

  test("is looked at with the keys that are there, and none is made for that", async () => {
    const files = await emptyDisk();
    const readClusterUid = (): Promise<string> => Promise.resolve("cluster");
    const secretsOf = lookedAtSecrets({ keys: new LookedAtKeys({ files, place, installation: null }), readClusterUid });
    const target = { config: { secrets: { policy: "encrypt", recipients: [annRecipient] } } } as const;
    const type = { group: "", kind: "Secret" };
    const options = await started(files);
    await expect(secretsOf(target, type)).rejects.toThrow("expected the data key that Secrets are encrypted with");
    const made = await options(target, "cluster");
    expect(await secretsOf(target, type)).toEqual(made);
  });

  test("that no Secret can be is refused, and not quoted", async () => {
    const options = await started(await emptyDisk());
    for (const odd of [{ sops: {} }, { data: { p: 1.5 } }]) {
      await expect(written(options, [annRecipient], { ...secret, ...odd })).rejects.toMatchObject({
        code: "object-unreadable",
      });
    }
  });

  test("is not written with a data key that was kept for nobody, or is damaged", async () => {
    const files = await emptyDisk();
    await written(await started(files), [annRecipient]);
    const name = (await files.list("/data")).find((file) => file.startsWith("sops-")) ?? "";
    const path = `/data/${name}`;
    const good = Buffer.from(await files.readFile(path)).toString();
    for (const damaged of [
      "",
      "{}",
      good.slice(0, -9),
      good.replace(/"recipients": \[[^]*\]/, '"recipients": []'),
      good.replace(/"createdAt": "[^"]*"/, '"createdAt": "yesterday"'),
      good.replace("-----BEGIN AGE", "-----BEGIN PGP"),
    ]) {
      expect(damaged).not.toBe(good);
      await replacePrivateFile(files, path, damaged);
      const writing = started(files).then((options) => written(options, [annRecipient]));
      await expect(writing).rejects.toThrow("expected a data key that age encrypted, found something else");
    }
    await replacePrivateFile(files, path, good);
    expect(await written(await started(files), [annRecipient])).toContain("ENC[");
  });

  test("goes to recipients whose checksum is right", async () => {
    await checkRecipients([annRecipient]);
    const mistyped = `${annRecipient.slice(0, -1)}${annRecipient.endsWith("q") ? "p" : "q"}`;
    await expect(checkRecipients([mistyped])).rejects.toThrow(`${mistyped}: expected a recipient of age`);
  });
});
