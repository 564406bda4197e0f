import { expect, test } from "vitest";

import { encodePacket, PacketReader } from "../../src/remote/pkt-line.ts";

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array, void> {
  // One buffer for all, as a transport may do it: what the reader keeps must be its own.
  const shared = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) yield shared.subarray(0, bytes.copy(shared, 0, at, at + size));
}

async function read(text: string, { size = 1000, limitBytes = 1000 } = {}): Promise<readonly string[]> {
  const reader = new PacketReader(inChunks(Buffer.from(text), size), limitBytes);
  const packets: string[] = [];
  for (let packet = await reader.next(); packet !== null; packet = await reader.next()) {
    packets.push(typeof packet === "string" ? packet : `"${packet.toString()}"`);
  }
  return packets;
}

test.each([1, 2, 3, 4, 5, 7, 11, 1000])("packets are read out of chunks of %d bytes", async (size) => {
  const text = `${encodePacket("hello\n").toString()}0000${encodePacket("").toString()}${encodePacket("Ümlaut").toString()}0000`;
  expect(await read(text, { size })).toEqual(['"hello\n"', "flush", '""', '"Ümlaut"', "flush"]);
});

test.each([
  { text: "0", code: "remote-cut" },
  { text: "000", code: "remote-cut" },
  { text: "0009hell", code: "remote-cut" },
  { text: "0001", code: "remote-malformed" },
  { text: "0003", code: "remote-malformed" },
  { text: "fff1", code: "remote-malformed" },
  { text: "+123", code: "remote-malformed" },
  { text: "HTTP/1.1 200", code: "remote-malformed" },
])("$text is $code", async ({ text, code }) => {
  await expect(read(text)).rejects.toMatchObject({ code });
});

test("no more is read than is allowed", async () => {
  const text = "0009hello".repeat(100);
  expect(await read(text, { limitBytes: 900 })).toHaveLength(100);
  await expect(read(text, { limitBytes: 899 })).rejects.toMatchObject({ code: "remote-malformed" });
});
