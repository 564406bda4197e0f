/**
 * The certificate and key that the admission server shows. They rotate on disk (K32): the files are read again and again, and
 * a pair that can be used is handed on; one that cannot (unreadable, or the key of another certificate, as it is for a moment while
 * both are exchanged) leaves the old pair in use, counted.
 */

import { createSecureContext } from "node:tls";

import type { Clock, FileSystem, Log, Meter, Timer } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";

/** How long a new pair can lie on disk unnoticed. Two small files: cheaper, and surer on mounted Secrets, than notifications. */
const pollEveryMs = 5000;

export interface CertificatesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clock: Clock;
  readonly files: Pick<FileSystem, "readFile">;
  readonly meter: Meter;
  readonly log: Log;
}

export interface CertificatePair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Certificates extends Disposable {
  readonly current: CertificatePair;
}

/** Throws a KubescribeError (`tls-files`) when the files cannot be used. `changed` gets every later pair. */
export async function openCertificates(
  options: CertificatesOptions,
  changed: (pair: CertificatePair) => void,
): Promise<Certificates> {
  return new PolledCertificates(await readPair(options), options, changed);
}

class PolledCertificates implements Certificates {
  #current: CertificatePair;
  #refused = "";
  #timer: Timer | null = null;
  #disposed = false;
  readonly #options: CertificatesOptions;
  readonly #changed: (pair: CertificatePair) => void;

  constructor(pair: CertificatePair, options: CertificatesOptions, changed: (pair: CertificatePair) => void) {
    this.#current = pair;
    this.#options = options;
    this.#changed = changed;
    this.#arm();
  }

  get current(): CertificatePair {
    return this.#current;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #arm(): void {
    if (this.#disposed) return;
    this.#timer = this.#options.clock.after(pollEveryMs, () => {
      void this.#poll().finally(() => {
        this.#arm();
      });
    });
  }

  async #poll(): Promise<void> {
    const { meter, log, certFile } = this.#options;
    try {
      const pair = await readPair(this.#options);
      this.#refused = "";
      if (this.#disposed || (pair.cert.equals(this.#current.cert) && pair.key.equals(this.#current.key))) return;
      this.#changed(pair);
      this.#current = pair;
      meter.count("webhook_certificate_reloads");
      log.info("The certificate files changed; new connections get the new certificate.", { certFile });
    } catch (error) {
      meter.count("webhook_certificate_errors");
      const message = error instanceof Error ? error.message : "unknown";
      if (message !== this.#refused) log.warn("The old certificate stays in use.", { certFile, error: message });
      this.#refused = message;
    }
  }
}

async function readPair(options: CertificatesOptions): Promise<CertificatePair> {
  const [cert, key] = await Promise.all([read(options, options.certFile), read(options, options.keyFile)]);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new KubescribeError(
      "tls-files",
      `${options.certFile} and ${options.keyFile} cannot be used: expected a certificate and its key, both PEM, found ` +
        `"${cause instanceof Error ? cause.message : "something else"}". Check --tls-cert-file and --tls-key-file.`,
      { retry: "never", cause },
    );
  }
  return { cert, key };
}

async function read(options: CertificatesOptions, path: string): Promise<Buffer> {
  try {
    return Buffer.from(await options.files.readFile(path));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "an error";
    throw new KubescribeError(
      "tls-files",
      `${path} cannot be read: expected a PEM file, found ${code === "ENOENT" ? "nothing there (ENOENT)" : code}. Check --tls-cert-file and --tls-key-file, and who may read them.`,
      { retry: "never", cause },
    );
  }
}
