/** gitprotocol-pack, report status: what a receive-pack says that it did. A claim; the refs are read back. */

import type { PacketReader } from "./pkt-line.ts";
import { remoteError } from "./remote-error.ts";
import { WordsBuffer } from "./words.ts";

export interface Report {
  /** Empty where the pack was taken, or nothing was said of it. */
  readonly unpackFault: string;
  /** Why each ref was not moved, in the remote's words; those that it says it moved are not here. */
  readonly faults: ReadonlyMap<string, string>;
  /** What hooks printed: unbounded when it came, bounded here; as it came. */
  readonly words: string;
}

/** Bytes of messages and keep-alives that are read through: a hook may talk for hours. */
const answerLimitBytes = 64 << 20;
const reportedRefs = 1000;

/**
 * To the end of the answer. Throws `remote-cut` where that comes too early, `remote-malformed`, and what `fatal` of a side band
 * says as `remote-refused`.
 */
export async function readReport(reader: PacketReader, sideBand: boolean): Promise<Report> {
  reader.allow(answerLimitBytes);
  const words = new WordsBuffer();
  const report: ReportLines = { unpackFault: "", faults: new Map(), ended: false };
  if (!sideBand) {
    // Behind the report a hook may be at work: it would be killed with the connection.
    for (let packet = await reader.next(); packet !== null; packet = await reader.next()) {
      if (packet !== "flush") takeLine(report, packet.toString("utf8"));
    }
  } else {
    await readBands(reader, report, words);
  }
  return { unpackFault: report.unpackFault, faults: report.faults, words: words.text };
}

interface ReportLines {
  unpackFault: string;
  readonly faults: Map<string, string>;
  ended: boolean;
}

const band = { data: 1, message: 2, fatal: 3 } as const;

/** The report is packets in the packets of the first band, cut anywhere. */
async function readBands(reader: PacketReader, report: ReportLines, words: WordsBuffer): Promise<void> {
  let rest = Buffer.alloc(0);
  for (let packet = await reader.next(); packet !== "flush"; packet = await reader.next()) {
    if (packet === null) {
      // Behind a fatal word there comes no report.
      if (report.ended || report.unpackFault !== "") return;
      throw remoteError("cut", "the connection to the remote ended before it had reported");
    }
    const payload = packet.subarray(1);
    if (packet[0] === band.message) words.add(payload);
    else if (packet[0] === band.fatal) {
      words.add(payload);
      report.unpackFault ||= payload.toString("utf8") || "a fatal error";
    } else if (packet[0] === band.data) {
      rest = takeLines(report, Buffer.concat([rest, payload]));
    } else if (packet.length > 0) {
      throw remoteError("malformed", `the remote should report on band 1, 2 or 3 and does on ${packet[0] ?? 0}`);
    }
  }
}

/** Returns what does not make a packet yet. */
function takeLines(report: ReportLines, bytes: Buffer): Buffer<ArrayBuffer> {
  let at = 0;
  while (bytes.length - at >= 4) {
    const head = bytes.toString("latin1", at, at + 4);
    const size = /^[0-9a-f]{4}$/i.test(head) ? Number.parseInt(head, 16) : -1;
    if (size === 0) {
      report.ended = true;
      at += 4;
      continue;
    }
    if (size < 4) throw remoteError("malformed", "the remote's report is not made of Git's packets");
    if (bytes.length - at < size) break;
    takeLine(report, bytes.toString("utf8", at + 4, at + size));
    at += size;
  }
  return Buffer.from(bytes.subarray(at));
}

function takeLine(report: ReportLines, line: string): void {
  const text = line.replace(/\n$/, "");
  if (text.startsWith("unpack ")) {
    if (text !== "unpack ok") report.unpackFault = text.slice(7);
    return;
  }
  const refused = /^ng (\S+) ?(.*)$/s.exec(text);
  if (refused !== null && report.faults.size < reportedRefs) report.faults.set(refused[1] ?? "", refused[2] ?? "");
}
