/**
 * A port before a server: whole, closed, or such that it takes connections and says nothing. Owns its listener and connections; the port
 * stays the same, as long as nobody else takes it while it is closed.
 */

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class TurnedOff implements AsyncDisposable {
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #holds = false;
  port = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(targetPort: number): Promise<TurnedOff> {
    const made = new TurnedOff(targetPort);
    await made.turnOn();
    return made;
  }

  async turnOn(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Connections are refused. */
  async turnOff(): Promise<void> {
    this.#cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** From here on nobody is answered. */
  hold(): void {
    this.#holds = true;
  }

  /** Those who waited are cut off, and may come again. */
  release(): void {
    this.#holds = false;
    this.#cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.turnOff();
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    const ends = this.#holds ? [client] : [client, connect(this.#targetPort, "127.0.0.1")];
    const end = (): void => {
      for (const socket of ends) socket.destroy();
    };
    for (const socket of ends) {
      this.#sockets.add(socket);
      socket.on("error", end);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    const [, upstream] = ends;
    if (upstream === undefined) client.resume();
    else {
      client.pipe(upstream);
      upstream.pipe(client);
    }
  }
}
