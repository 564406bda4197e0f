/** gitprotocol-pack, pushing: one request of commands and a pack, one report. */

import { createHash } from "node:crypto";
import type { Advertisement } from "./advertisement.ts";
import type { Conversation, RequestBody } from "./conversation.ts";
import { encodePacket, flushPacket } from "./pkt-line.ts";
import type { PushedPack, RefUpdate } from "./remote.ts";
import { remoteError } from "./remote-error.ts";
import { type Report, readReport } from "./report.ts";

export const agent = "git/kubescribe";
const noObject = "0".repeat(40);

/** Sends the commands in one request. Throws what the conversation throws. */
export async function receivePack(
  conversation: Conversation,
  request: {
    readonly advertisement: Advertisement;
    readonly updates: readonly RefUpdate[];
    readonly pack: PushedPack | null;
  },
): Promise<Report> {
  const { capabilities } = request.advertisement;
  if (!capabilities.has("ofs-delta")) {
    throw remoteError(
      "malformed",
      "the remote does not take packs with OFS deltas, which every Git server of this age does",
    );
  }
  const sideBand = capabilities.has("side-band-64k");
  const offered = [
    ...["report-status", "quiet"].filter((name) => capabilities.has(name)),
    ...(sideBand ? ["side-band-64k"] : []),
    ...(request.updates.length > 1 && capabilities.has("atomic") ? ["atomic"] : []),
    ...(capabilities.has("object-format") ? ["object-format=sha1"] : []),
    ...(capabilities.has("agent") ? [`agent=${agent}`] : []),
  ];
  const commands = request.updates.map(({ ref, from, to }, index) =>
    encodePacket(`${from === "" ? noObject : from} ${to} ${ref}${index === 0 ? `\0 ${offered.join(" ")}` : ""}`),
  );
  const head = Buffer.concat([...commands, flushPacket]);
  const reader = await conversation.request(bodyOf(head, request.pack ?? emptyPack));
  return readReport(reader, sideBand);
}

function bodyOf(head: Buffer, pack: PushedPack): RequestBody {
  return {
    sizeBytes: head.length + pack.sizeBytes,
    chunks: (async function* () {
      yield head;
      yield* pack.chunks();
    })(),
  };
}

/** A receive-pack waits for a pack, even where it has all objects. */
const emptyPack: PushedPack = {
  sizeBytes: 32,
  async *chunks() {
    const header = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
    yield Buffer.concat([header, createHash("sha1").update(header).digest()]);
  },
};
