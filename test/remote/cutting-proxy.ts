/** A TCP proxy that cuts connections after a number of bytes, or takes nothing any more. Owns its listener and connections. */

import { setTimeout as delay } from "node:timers/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Bytes of one connection after which it is cut, or no more is taken ("hold"); those beyond are lost. */
export interface Cut {
  /** From the client. */
  readonly up?: number;
  /** From the server. */
  readonly down?: number;
  readonly hold?: boolean;
  /** The last bytes that the server sends at a time come a moment after the others: the end of an answer behind what it says. */
  readonly late?: boolean;
  /** So many bytes pass at a time, then a moment passes. */
  readonly throttle?: number;
}

export class CuttingProxy implements AsyncDisposable {
  /** For the connections to come, in their order; null or nothing: whole. */
  readonly cuts: (Cut | null)[] = [];
  /** Of all connections. */
  upBytes = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer();

  static async start(targetPort: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy();
    proxy.#server.on("connection", (client) => {
      proxy.#join(client, connect(targetPort, "127.0.0.1"), proxy.cuts.shift() ?? {});
    });
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, upstream: Socket, cut: Cut): void {
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on("error", end);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    const pass = (from: Socket, to: Socket, limit: number | undefined): void => {
      let order = Promise.resolve();
      let left = limit ?? Number.POSITIVE_INFINITY;
      from.on("data", (bytes: Buffer) => {
        if (from === client) this.upBytes += bytes.length;
        if (bytes.length < left) {
          left -= bytes.length;
          if (cut.late === true && from === upstream) {
            order = order.then(() => writeLate(bytes, to));
            return;
          }
          if (cut.throttle !== undefined) {
            from.pause();
            void writeSlowly(bytes, to, cut.throttle).then(() => from.resume());
            return;
          }
          if (!to.write(bytes)) {
            from.pause();
            to.once("drain", () => from.resume());
          }
          return;
        }
        if (cut.hold === true) {
          to.write(bytes.subarray(0, left));
          from.pause();
        } else to.write(bytes.subarray(0, left), end);
        left = 0;
      });
    };
    pass(client, upstream, cut.up);
    pass(upstream, client, cut.down);
  }
}

const endBytes = "0\r\n\r\n".length;

async function writeLate(bytes: Buffer, to: Socket): Promise<void> {
  to.write(bytes.subarray(0, -endBytes));
  await delay(50);
  to.write(bytes.subarray(-endBytes));
}

async function writeSlowly(bytes: Buffer, to: Socket, step: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += step) {
    to.write(bytes.subarray(at, at + step));
    await delay(2);
  }
}
