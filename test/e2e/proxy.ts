/**
 * A TCP proxy between kubescribe and an API server, which a test can slow down to nothing or cut. Owns its listener and
 * connections. What kubescribe sends always passes; the API server's reviews go another way, and are never held back.
 */

import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

export class Proxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #upstreams = new Set<Socket>();
  #held = false;
  #refusing = false;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      if (this.#refusing) {
        client.destroy();
        return;
      }
      this.#join(client, connect(targetPort, "127.0.0.1"));
    });
  }

  /** In front of a URL such as `https://127.0.0.1:6443`. */
  static async start(targetUrl: string): Promise<Proxy> {
    const proxy = new Proxy(Number(new URL(targetUrl).port));
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Nothing that the API server says gets through any more, and nothing of it is lost. */
  hold(): void {
    this.#held = true;
    for (const upstream of this.#upstreams) upstream.pause();
  }

  release(): void {
    this.#held = false;
    for (const upstream of this.#upstreams) upstream.resume();
  }

  /** Every connection breaks, and new ones too, until `mend`. */
  cut(): void {
    this.#refusing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#refusing = false;
    this.#held = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, upstream: Socket): void {
    const ends = [client, upstream];
    for (const [index, socket] of ends.entries()) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#upstreams.delete(socket);
        ends[1 - index]?.destroy();
      });
    }
    this.#upstreams.add(upstream);
    client.on("data", (bytes: Buffer) => upstream.write(bytes));
    upstream.on("data", (bytes: Buffer) => client.write(bytes));
    if (this.#held) upstream.pause();
  }
}
