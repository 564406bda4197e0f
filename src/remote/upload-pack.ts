/** gitprotocol-pack, fetching: one request of wants and haves, one pack. Protocol version 0, one round. */

import type { Advertisement } from "./advertisement.ts";
import { reasonOfWords } from "./advertisement.ts";
import type { Conversation } from "./conversation.ts";
import { encodePacket, flushPacket } from "./pkt-line.ts";
import { agent } from "./receive-pack.ts";
import { remoteError } from "./remote-error.ts";
import { WordsBuffer, wordsOf } from "./words.ts";

export interface UploadRequest {
  readonly wants: readonly string[];
  /** Newest first; the first 256 are told. */
  readonly haves: readonly string[];
  /** Commits at which what is here ends. */
  readonly shallow: readonly string[];
  readonly depth: number | null;
}

export interface ShallowChange {
  readonly shallow: readonly string[];
  readonly unshallow: readonly string[];
}

const toldHaves = 256;
const shallowLimit = 100_000;
/** Packets that are no pack: shallow lines, acknowledgements, progress that was not asked for. */
const besidesLimitBytes = 64 << 20;

/** Gives the pack's bytes to `take`, one chunk after the other, each valid until the next. */
export async function uploadPack(
  conversation: Conversation,
  request: UploadRequest & {
    readonly advertisement: Advertisement;
    readonly packLimitBytes: number;
    readonly take: (chunk: Buffer) => Promise<void>;
  },
): Promise<ShallowChange> {
  const { capabilities } = request.advertisement;
  const needed = ["side-band-64k", ...(request.depth === null && request.shallow.length === 0 ? [] : ["shallow"])];
  const lacking = needed.filter((name) => !capabilities.has(name));
  if (lacking.length > 0)
    throw remoteError("malformed", `the remote lacks ${lacking.join(" and ")}, which fetching needs`);
  const body = Buffer.concat(linesOf(request));
  const reader = await conversation.request({
    sizeBytes: body.length,
    chunks: (async function* () {
      yield body;
    })(),
  });
  reader.allow(request.packLimitBytes + besidesLimitBytes);
  const change = { shallow: new Array<string>(), unshallow: new Array<string>() };
  const words = new WordsBuffer();
  let packBytes = 0;
  /** The answer to `deepen` is a part of its own. */
  let parts = request.depth === null ? 1 : 2;
  for (;;) {
    const packet = await reader.next();
    if (packet === null) throw remoteError("cut", "the connection to the remote ended before the pack did");
    if (packet === "flush") {
      parts -= 1;
      if (parts === 0) return change;
      continue;
    }
    const payload = packet.subarray(1);
    if (packet[0] === band.data) {
      packBytes += payload.length;
      if (packBytes > request.packLimitBytes) throw tooLarge(request.packLimitBytes);
      await request.take(payload);
    } else if (packet[0] === band.message) words.add(payload);
    else if (packet[0] === band.fatal) throw refusal(payload.toString("utf8"), conversation.secrets);
    else takeLine(change, packet.toString("utf8"), conversation.secrets);
  }
}

const band = { data: 1, message: 2, fatal: 3 } as const;

function linesOf(request: UploadRequest & { readonly advertisement: Advertisement }): readonly Buffer[] {
  const { capabilities } = request.advertisement;
  const offered = [
    "side-band-64k",
    ...["ofs-delta", "no-progress"].filter((name) => capabilities.has(name)),
    ...(capabilities.has("object-format") ? ["object-format=sha1"] : []),
    ...(capabilities.has("agent") ? [`agent=${agent}`] : []),
  ];
  return [
    ...request.wants.map((id, index) => encodePacket(`want ${id}${index === 0 ? ` ${offered.join(" ")}` : ""}\n`)),
    ...request.shallow.map((id) => encodePacket(`shallow ${id}\n`)),
    ...(request.depth === null ? [] : [encodePacket(`deepen ${request.depth}\n`)]),
    flushPacket,
    ...request.haves.slice(0, toldHaves).map((id) => encodePacket(`have ${id}\n`)),
    encodePacket("done\n"),
  ];
}

function takeLine(
  change: { readonly shallow: string[]; readonly unshallow: string[] },
  line: string,
  secrets: readonly string[],
): void {
  if (line.startsWith("ERR ")) throw refusal(line.slice(4), secrets);
  if (/^(?:NAK|ACK [0-9a-f]{40})/.test(line)) return;
  const [, kind, id = ""] = /^(shallow|unshallow) ([0-9a-f]{40})\n?$/.exec(line) ?? [];
  if (kind === undefined || change.shallow.length + change.unshallow.length === shallowLimit) {
    throw remoteError("malformed", `the remote should send a pack and sends ${JSON.stringify(wordsOf(line, secrets))}`);
  }
  change[kind === "shallow" ? "shallow" : "unshallow"].push(id);
}

function refusal(text: string, secrets: readonly string[]): Error {
  const said = JSON.stringify(wordsOf(text, secrets));
  return remoteError(reasonOfWords(text), `the remote does not send what was asked for, and says ${said}`);
}

function tooLarge(limitBytes: number): Error {
  return remoteError(
    "quota",
    `what is to be fetched is larger than ${limitBytes >> 20} MiB: the newest commit of the branch, with all of its files, should be smaller; name another branch or repository`,
  );
}
