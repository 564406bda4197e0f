/** Serves what a process of an installation would of its webhook: its configuration and certificate, as a test says. Owns its listener. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class RecordedProcess implements AsyncDisposable {
  isCovered = true;
  daysLeft = 60;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_, response) => response.end(this.#exposition()));
  }

  static async start(): Promise<RecordedProcess> {
    const made = new RecordedProcess();
    await new Promise<void>((resolve) => made.#server.listen(0, "127.0.0.1", resolve));
    return made;
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #exposition(): string {
    const values = {
      webhook_covered: this.isCovered ? 1 : 0,
      webhook_certificate_expiry_timestamp_seconds: Date.now() / 1000 + this.daysLeft * 86_400,
      webhook_certificate_renewals_total: 0,
      webhook_configuration_repairs_total: 0,
    };
    return Object.entries(values)
      .map(([name, value]) => `${name} ${value}\n`)
      .join("");
  }
}
