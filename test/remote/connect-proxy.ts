/** An HTTP proxy as companies have them: tunnels by CONNECT. Owns its listener and tunnels. */

import * as http from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export class ConnectProxy implements AsyncDisposable {
  /** `host:port` of each tunnel that was asked for. */
  readonly tunnels: string[] = [];
  /** The Proxy-Authorization of each. */
  readonly authorizations: string[] = [];
  readonly #server = http.createServer();
  readonly #sockets = new Set<Socket>();

  static async start(): Promise<ConnectProxy> {
    const proxy = new ConnectProxy();
    proxy.#server.on("connect", (request, client: Socket) => {
      proxy.tunnels.push(request.url ?? "");
      proxy.authorizations.push(request.headers["proxy-authorization"] ?? "");
      const port = Number(/:(\d+)$/.exec(request.url ?? "")?.[1]);
      const upstream = connect(port, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        client.pipe(upstream).pipe(client);
      });
      for (const socket of [client, upstream]) {
        proxy.#sockets.add(socket);
        socket.on("error", () => undefined);
      }
    });
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
