/** Names of known_hosts, as sshd(8) describes them. OpenSSH's own hashes are in test/e2e/remote-ssh.test.ts. */

import { createHmac } from "node:crypto";
import { expect, test } from "vitest";

import { fingerprintOf, isAmong, knownHostOf } from "../../src/remote/known-hosts.ts";

const blobOf = (type: string, text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(text)]);
};
const blob = blobOf("ssh-ed25519", "a key");
const key = `ssh-ed25519 ${blob.toString("base64")}`;
const salt = Buffer.from("twenty bytes of salt");
const hashed = (name: string): string =>
  `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;

const git = { host: "git.example.com", port: 22 };
const other = { host: "git.example.com", port: 2222 };

test.each([
  { line: `git.example.com ${key}`, place: git, known: true },
  { line: `git.example.com ${key} a comment`, place: git, known: true },
  { line: `  git.example.com\t${key}\r`, place: git, known: true },
  { line: `GIT.example.com ${key}`, place: git, known: true },
  { line: `10.0.0.1,git.example.com ${key}`, place: git, known: true },
  { line: `*.example.com ${key}`, place: git, known: true },
  { line: `gi?.example.com ${key}`, place: git, known: true },
  { line: `*.example.com,!git.example.com ${key}`, place: git, known: false },
  { line: `!git.example.com,*.example.com ${key}`, place: git, known: false },
  { line: `!other.example.com ${key}`, place: git, known: false },
  { line: `gitxexample.com ${key}`, place: git, known: false },
  { line: `git.example.com.evil.org ${key}`, place: git, known: false },
  { line: `example.com ${key}`, place: git, known: false },
  { line: `git.example.com ${key}`, place: other, known: false },
  { line: `[git.example.com]:2222 ${key}`, place: other, known: true },
  { line: `[git.example.com]:2222 ${key}`, place: git, known: false },
  { line: `[*.example.com]:2222 ${key}`, place: other, known: true },
  { line: `${hashed("git.example.com")} ${key}`, place: git, known: true },
  { line: `${hashed("[git.example.com]:2222")} ${key}`, place: other, known: true },
  { line: `${hashed("git.example.com")} ${key}`, place: other, known: false },
  { line: `|1|${salt.toString("base64")}| ${key}`, place: git, known: false },
  { line: `# git.example.com ${key}`, place: git, known: false },
  { line: `#git.example.com ${key}`, place: git, known: false },
  { line: `@revoked git.example.com ${key}`, place: git, known: false },
  { line: `@cert-authority git.example.com ${key}`, place: git, known: false },
  { line: `@unheard-of git.example.com ${key}`, place: git, known: false },
  { line: `git.example.com ssh-rsa ${blob.toString("base64")}`, place: git, known: false },
  { line: "git.example.com ssh-ed25519", place: git, known: false },
  { line: "git.example.com ssh-ed25519 AAAA", place: git, known: false },
])("$line: known is $known at port $place.port", ({ line, place, known }) => {
  expect(isAmong(knownHostOf(`\n${line}\n`, place).keys, blob)).toBe(known);
});

test("several lines add up, and say what is revoked", () => {
  const second = blobOf("ssh-rsa", "another");
  const lines = [`git.example.com ${key}`, `* ssh-rsa ${second.toString("base64")}`, `@revoked * ${key}`];
  const known = knownHostOf(lines.join("\n"), git);
  expect(known.keys.map(({ type }) => type)).toEqual(["ssh-ed25519", "ssh-rsa"]);
  expect(isAmong(known.revoked, blob)).toBe(true);
  expect(isAmong(known.revoked, second)).toBe(false);
  expect(known.hasAuthority).toBe(false);
  expect(knownHostOf(`@cert-authority *.example.com ${key}`, git).hasAuthority).toBe(true);
});

test("a fingerprint is what ssh-keygen shows", () => {
  expect(fingerprintOf(blob)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
});
