/**
 * Commits signed with an SSH key, as git does it: an SSHSIG of the commit's bytes, in their header `gpgsig`.
 *
 * The formats: PROTOCOL.sshsig of OpenSSH, RFC 4253 section 5 (string, mpint) and section 6.6, RFC 5656 section 3.1.2 (ECDSA),
 * RFC 8332 (rsa-sha2-512), RFC 8709 (Ed25519); gitformat-signature.
 */

import { createPrivateKey, hash, type KeyObject, sign } from "node:crypto";
import type { SigningKey } from "./target.ts";

/** Returns the commit with its signature among the headers. */
export type CommitSigner = (commit: Buffer) => Buffer;

const namespace = "git";
const reserved = "";
const hashAlgorithm = "sha512";
const magic = Buffer.from("SSHSIG", "latin1");
const armorColumns = 70;

export function commitSignerOf({ kind, publicKey, privateKey }: SigningKey): CommitSigner {
  const key = createPrivateKey(privateKey);
  const context = [namespace, reserved, hashAlgorithm].map(stringOf);
  const head = Buffer.concat([
    magic,
    Buffer.from([0, 0, 0, 1]),
    stringOf(Buffer.from(publicKey, "base64")),
    ...context,
  ]);
  return (commit) => {
    const signed = Buffer.concat([magic, ...context, stringOf(hash(hashAlgorithm, commit, "buffer"))]);
    const signature = Buffer.concat([head, stringOf(signatureOf(kind, key, signed))]);
    // Headers end at the first empty line; git puts the signature last of them.
    const end = commit.indexOf("\n\n") + 1;
    const header = Buffer.from(`gpgsig ${armored(signature).join("\n ")}\n`, "latin1");
    return Buffer.concat([commit.subarray(0, end), header, commit.subarray(end)]);
  };
}

/** With the name of its algorithm before it. */
function signatureOf(kind: SigningKey["kind"], key: KeyObject, signed: Buffer): Buffer {
  switch (kind) {
    case "ssh-ed25519":
      return Buffer.concat([stringOf(kind), stringOf(sign(null, signed, key))]);
    case "ssh-rsa":
      return Buffer.concat([stringOf("rsa-sha2-512"), stringOf(sign("sha512", signed, key))]);
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521": {
      const numbers = sign(curveHashes[kind], signed, { key, dsaEncoding: "ieee-p1363" });
      const half = numbers.length / 2;
      const pair = Buffer.concat([integerOf(numbers.subarray(0, half)), integerOf(numbers.subarray(half))]);
      return Buffer.concat([stringOf(kind), stringOf(pair)]);
    }
    default:
      return kind satisfies never;
  }
}

const curveHashes = {
  "ecdsa-sha2-nistp256": "sha256",
  "ecdsa-sha2-nistp384": "sha384",
  "ecdsa-sha2-nistp521": "sha512",
} as const;

/** Of SSH: its length in 4 bytes, then the bytes. */
function stringOf(content: string | Buffer): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Of SSH, not negative: no zeros in front, but for one before a first bit that is set. */
function integerOf(magnitude: Buffer): Buffer {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.alloc(0) : magnitude.subarray(first);
  return stringOf((digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.from([0]), digits]));
}

function armored(signature: Buffer): readonly string[] {
  const text = signature.toString("base64");
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += armorColumns) lines.push(text.slice(at, at + armorColumns));
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----"];
}
