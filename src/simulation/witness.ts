/** What a run says, kept for whoever has to find out why it failed. */

import type { Clock, Log, LogFields, Meter } from "../../actors/ports.ts";
import type { TrueWrite } from "./checkers/truth.ts";

export class LogLines implements Log {
  readonly lines: string[] = [];
  readonly #clock: Pick<Clock, "monotonicMs">;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  debug(): void {}

  info(message: string, fields?: LogFields): void {
    this.#say(message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#say(`WARN ${message}`, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#say(`ERROR ${message}`, fields);
  }

  #say(message: string, fields?: LogFields): void {
    const said = fields === undefined ? "" : ` ${JSON.stringify(fields)}`;
    this.lines.push(`${String(this.#clock.monotonicMs()).padStart(8)} ${message}${said}`);
  }
}

export const quietMeter: Meter = { count: () => undefined, record: () => undefined, gauge: () => undefined };

export function writeLine({ event, era, atMs, operation, uid }: TrueWrite): string {
  const { typeKey, namespace, name, revision, authorship, content } = event;
  const { user, reviewed, subresource } = authorship;
  const data = JSON.stringify(content.object["data"] ?? content.object["spec"] ?? null);
  const by = `${user}${subresource === "" ? "" : ` (${subresource})`}${reviewed ? "" : ", unreviewed"}`;
  return `write ${era}/${revision} ${atMs} ${operation ?? "-"} ${typeKey} ${namespace}/${name} ${uid.slice(0, 4)} by ${by} ${data}`;
}

export function commitLine(subject: string, trailers: ReadonlyMap<string, readonly string[]>): string {
  const named = [...trailers].flatMap(([key, values]) =>
    /Version|Epoch|Attr|Cand|By|Uid/.test(key) ? [values.join("|")] : [],
  );
  return `commit ${subject}: ${named.join(" ")}`;
}
