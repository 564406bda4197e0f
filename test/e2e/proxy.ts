/**
 * A TCP proxy between kubescribe and an API server, which a test can slow down to nothing or cut. Owns its listener and
 * connections. What kubescribe sends always passes; the API server's reviews go another way, and are never held back.
 */

import { writeFileSync } from "node:fs";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";

import type { ControlPlane } from "../controlplane/control-plane.ts";
import { kubeconfigText } from "../controlplane/credentials.ts";

export class Proxy implements AsyncDisposable {
  /** The way through it, for the control plane's admin. */
  kubeconfig = "";
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

  /** In front of the first API server. */
  static async start(plane: ControlPlane): Promise<Proxy> {
    const proxy = new Proxy(Number(new URL(plane.urls[0] ?? "").port));
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${(proxy.#server.address() as AddressInfo).port}`;
    proxy.kubeconfig = join(plane.directory, "kubeconfig-proxy");
    const text = kubeconfigText({ url, caPem: plane.caPem, user: "admin", token: plane.token("admin") });
    writeFileSync(proxy.kubeconfig, text, { mode: 0o600 });
    return proxy;
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
