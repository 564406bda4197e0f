/**
 * The certificate that the admission server shows, wherever it comes from: files that are read again and again, or somebody who hands it
 * in. Owns the pair, and the gauge of its end.
 */

import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

import type { Meter } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { openCertificates } from "./certificates.ts";
import type { CertificatePair, CertificatesOptions } from "./certificates.ts";

/** Files, or the first pair of somebody who hands in the next ones. */
export type CertificateSource = Pick<CertificatesOptions, "certFile" | "keyFile"> | CertificatePair;

export class ShownCertificate implements Disposable {
  #pair: CertificatePair;
  #expiresAtMs = 0;
  /** For who asks by a name of their own; null: nobody does. */
  #named: { readonly name: string; readonly context: SecureContext } | null = null;
  #listen: (pair: CertificatePair) => void = () => undefined;
  readonly #files: Disposable | null;

  /** Throws a KubescribeError: `tls-files`, or `tls-pair`. */
  static async open(
    source: CertificateSource,
    options: Omit<CertificatesOptions, "certFile" | "keyFile">,
  ): Promise<ShownCertificate> {
    if (!("certFile" in source)) return new ShownCertificate(source, null, options.meter);
    let shown: ShownCertificate | null = null;
    const files = await openCertificates({ ...options, ...source }, (pair) => shown?.exchange(pair));
    shown = new ShownCertificate(files.current, files, options.meter);
    return shown;
  }

  private constructor(pair: CertificatePair, files: Disposable | null, meter: Meter) {
    this.#pair = pair;
    this.#files = files;
    this.exchange(pair);
    meter.gauge("webhook_certificate_expiry_timestamp_seconds", () => this.#expiresAtMs / 1000);
  }

  get pair(): CertificatePair {
    return this.#pair;
  }

  /** Who wants to hear of later pairs. */
  onExchange(listen: (pair: CertificatePair) => void): void {
    this.#listen = listen;
  }

  /** What a client is shown that asks for `name`; undefined: the same as everybody. */
  contextFor(name: string): SecureContext | undefined {
    return this.#named?.name === name ? this.#named.context : undefined;
  }

  /** From now on, clients that ask for `name` are shown this one. Throws `tls-pair`. */
  showTo(name: string, pair: CertificatePair): void {
    this.#named = { name, context: contextOf(pair) };
  }

  /** Throws `tls-pair`, and leaves the old pair in use. */
  exchange(pair: CertificatePair): void {
    contextOf(pair);
    this.#expiresAtMs = new X509Certificate(pair.cert).validToDate.getTime();
    this.#pair = pair;
    this.#listen(pair);
  }

  [Symbol.dispose](): void {
    this.#files?.[Symbol.dispose]();
  }
}

function contextOf(pair: CertificatePair): SecureContext {
  try {
    return createSecureContext({ ...pair, minVersion: "TLSv1.2" });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : "something else";
    throw new KubescribeError(
      "tls-pair",
      `The certificate of the admission server cannot be used: expected a certificate and its key, both PEM, found "${found}".`,
      { retry: "never", cause },
    );
  }
}
