import fc from "fast-check";
import { expect, test } from "vitest";
import type { Clone } from "../../src/git/clone/clone.ts";
import type { Git } from "../../src/git/clone/git.ts";
import { readHistory } from "../../src/git/clone/read-history.ts";
import { fileOfTrailer, keyText } from "../../src/git/clone/record-key.ts";
import { trailersOf } from "../../src/git/history.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { check, suite } from "./check.ts";

const line = fc.constantFrom(
  "",
  "",
  "Update deployments.apps shop/web",
  "Kubescribe-Resource: apps/v1/deployments shop/web",
  "Kubescribe-Resource: core/v1/nodes worker",
  "Kubescribe-Resource: nonsense",
  " Kubescribe-Resource: apps/v1/deployments shop/no",
  "Kubescribe-Cluster: c",
  "Kubescribe-Cluster: other",
  "kubescribe-cluster: no",
  "Changed-By: Kubescribe-Resource: apps/v1/deployments shop/no",
);
const message = fc.array(line, { maxLength: 9 }).map((lines) => lines.join("\n"));

/** A clone of which only the log is asked, in pieces of any size. */
function cloneWith(log: Buffer, pieceBytes: number): Clone {
  const git: Git = async (_args, request) => {
    for (let at = 0; at < log.length; at += pieceBytes) request?.onOutput?.(log.subarray(at, at + pieceBytes));
    return { code: 0, output: Buffer.alloc(0), error: "" };
  };
  const files = new MemoryFileSystem(createSimulatedClock(0));
  const boundary = new Set<string>();
  return { git, files, gitDirectory: "/", branch: "HEAD", ref: "HEAD", tip: "x", boundary, partial: false };
}

suite("the log of a history", () => {
  test("is read as its commits are, in whatever pieces it comes", async () => {
    const property = fc.asyncProperty(
      fc.array(message),
      fc.integer({ min: 1, max: 300 }),
      async (messages, pieceBytes) => {
        const ids = messages.map((_, at) => at.toString(16).padStart(40, "0"));
        const log = messages.map((text, at) => `${ids[at] ?? ""}\n${text}\n\0`).join("");
        const expected = messages.flatMap((text, at) => {
          const trailers = trailersOf(text);
          const file = fileOfTrailer(trailers.get("Kubescribe-Resource")?.[0] ?? "");
          const cluster = trailers.get("Kubescribe-Cluster")?.[0] ?? "";
          return file === null ? [] : [{ id: ids[at] ?? "", key: keyText({ cluster, file, prefix: null }) }];
        });
        expect(await readHistory(cloneWith(Buffer.from(log), pieceBytes), "")).toEqual(expected.toReversed());
      },
    );
    await check(property, { runs: 300 });
  });
});
