/** A real Prometheus that scrapes processes each second, with rules. Owns itself; its files lie below a directory of the test. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../controlplane/eventually.ts";
import { freePorts } from "../controlplane/ports.ts";
import { findPrometheus, required } from "../remote/servers.ts";

export interface PrometheusOptions {
  /** Made here. */
  readonly directory: string;
  readonly processes: readonly ScrapedProcess[];
  /** Series that are taken: `POD;NAME`, a regular expression of the whole. */
  readonly taken: string;
  /** Those of them that are not. */
  readonly dropped: string;
  /** A rule file. */
  readonly rules: string;
}

export interface ScrapedProcess {
  /** `http://HOST:PORT`. */
  readonly metricsUrl: string;
  /** As a cluster's scrape configuration would add them. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface Alert {
  readonly name: string;
  readonly state: "pending" | "firing";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #child: ChildProcess;
  #log = "";
  readonly #killWithUs = (): void => {
    this.#child.kill("SIGKILL");
  };

  private constructor(url: string, args: readonly string[]) {
    this.#url = url;
    this.#child = spawn(required(findPrometheus(), "prometheus"), args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    process.on("exit", this.#killWithUs);
  }

  /** Resolves when it has scraped every process. */
  static async start({ directory, processes, taken, dropped, rules }: PrometheusOptions): Promise<Prometheus> {
    mkdirSync(directory);
    const [port = 0] = await freePorts(1);
    const configuration = {
      global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
      rule_files: [join(directory, "rules.yaml")],
      scrape_configs: [
        {
          job_name: "kubescribe",
          metric_relabel_configs: [
            { source_labels: ["pod", "__name__"], regex: taken, action: "keep" },
            { source_labels: ["pod", "__name__"], regex: dropped, action: "drop" },
          ],
          static_configs: processes.map(({ metricsUrl, labels }) => ({ targets: [new URL(metricsUrl).host], labels })),
        },
      ],
    };
    // JSON is YAML.
    writeFileSync(join(directory, "prometheus.yaml"), JSON.stringify(configuration));
    writeFileSync(join(directory, "rules.yaml"), rules);
    const address = `127.0.0.1:${port}`;
    const made = new Prometheus(`http://${address}`, [
      `--config.file=${join(directory, "prometheus.yaml")}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      `--web.listen-address=${address}`,
      "--log.level=warn",
    ]);
    const scraped = async (): Promise<true | undefined> =>
      (await made.query("up == 1")).length === processes.length ? true : undefined;
    await eventually(scraped, { what: "the first scrape" }).catch((cause: unknown) => {
      throw new Error(`Prometheus does not scrape: ${made.#log}`, { cause });
    });
    return made;
  }

  /** Throws where it does not take the query. */
  async query(expr: string): Promise<readonly Sample[]> {
    const data = (await this.#get(`query?query=${encodeURIComponent(expr)}`)) as {
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>;
        readonly value: readonly [number, string];
      }[];
    };
    return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  }

  async alerts(): Promise<readonly Alert[]> {
    const { alerts } = (await this.#get("alerts")) as { readonly alerts: readonly Omit<Alert, "name">[] };
    return alerts.map((alert) => ({ ...alert, name: alert.labels["alertname"] ?? "" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#killWithUs);
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #get(path: string): Promise<unknown> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`);
    const { status, data, error } = (await answer.json()) as {
      readonly status: string;
      readonly data: unknown;
      readonly error?: string;
    };
    if (status !== "success") throw new Error(`Prometheus says: ${error ?? answer.status}`);
    return data;
  }
}
