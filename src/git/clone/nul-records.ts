/** Takes what git prints with `-z` apart as it comes: a NUL ends each record, and none can hold one. */

import { StringDecoder } from "node:string_decoder";

export class NulRecords {
  readonly #decoder: StringDecoder;
  readonly #take: (record: string) => void;
  #rest = "";

  constructor(encoding: "latin1" | "utf8", take: (record: string) => void) {
    this.#decoder = new StringDecoder(encoding);
    this.#take = take;
  }

  push(chunk: Buffer): void {
    const records = (this.#rest + this.#decoder.write(chunk)).split("\0");
    this.#rest = records.pop() ?? "";
    for (const record of records) this.#take(record);
  }
}
