import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nearest } from "../../src/config/nearest.ts";
import { optionHelp } from "../../src/config/help.ts";
import {
  runOptionTable,
  simulateOptionTable,
  verifyOptionTable,
  whoOptionTable,
} from "../../src/config/option-table.ts";
import { parseOptions } from "../../src/config/parse-options.ts";
import { parseRunOptions, parseVerifyOptions } from "../../src/config/run-options.ts";

const required = ["--config", "rules.yaml", "--tls-cert-file=/tls/a.crt", "--tls-key-file", "/tls/a.key"];

describe("options of run", () => {
  test("have defaults", () => {
    expect(parseRunOptions(required, "/home/ada")).toMatchObject({
      kubeconfig: null,
      config: "/home/ada/rules.yaml",
      admission: {
        address: { host: "0.0.0.0", port: 8443 },
        tls: { certFile: "/tls/a.crt", keyFile: "/tls/a.key" },
        path: "/correlate",
      },
      metrics: { host: "127.0.0.1", port: 8080 },
      dataDir: "/var/lib/kubescribe",
      credentialsDir: null,
      installationKeyFile: null,
      ingestion: "correlate",
      attribution: "exact",
      durability: "flush",
      bounds: { pendingTtlSeconds: 600, batchWindowMs: 10, pendingContentBytes: 64 * 1024 ** 2, journalSync: false },
      telemetry: { otlpEndpoint: null, traceRatio: 0 },
    });
  });

  test.each([
    ["0.25", 0.25],
    [".5", 0.5],
    ["1", 1],
    ["1.0", 1],
  ])("a trace ratio may be %s", (text, traceRatio) => {
    const argv = ["--otlp-endpoint", "https://collector.monitoring:4318/otlp", "--trace-ratio", text];
    const telemetry = { otlpEndpoint: "https://collector.monitoring:4318/otlp", traceRatio };
    expect(parseRunOptions([...required, ...argv], "/")).toMatchObject({ telemetry });
  });

  test("are taken as given", () => {
    const argv = [
      "--admission-address",
      "[::1]:0",
      "--attribution=fifo",
      "--ingestion",
      "dual",
      "--backlog-bytes",
      "1Gi",
      "--journal-sync",
    ];
    expect(parseRunOptions([...required, ...argv], "/")).toMatchObject({
      admission: { address: { host: "::1", port: 0 } },
      attribution: "fifo",
      ingestion: "dual",
      bounds: { backlogBytes: 1024 ** 3, journalSync: true },
    });
  });

  test("a flush each second is a window of a second", () => {
    expect(parseRunOptions([...required, "--durability", "second"], "/").bounds.batchWindowMs).toBe(1000);
  });

  test.each<readonly [readonly string[], string]>([
    [["--admision-path", "/a"], 'unknown option "--admision-path". Did you mean "--admission-path"?'],
    [
      ["--admission-path", "correlate"],
      '--admission-path expected the path of a URL such as /correlate/3f9c2a, without a query, found "correlate"',
    ],
    [
      ["--admission-address", "8443"],
      '--admission-address expected HOST:PORT such as 0.0.0.0:8443 or [::1]:8443, the port from 0 to 65535, found "8443"',
    ],
    [["--metrics-address", "a:70000"], "--metrics-address expected HOST:PORT"],
    [["--ingestion", "duel"], '--ingestion expected one of correlate, dual, found "duel". Did you mean "dual"?'],
    [
      ["--pending-ttl-seconds", "10m"],
      '--pending-ttl-seconds expected a whole number of seconds from 1 to 86400, found "10m"',
    ],
    [["--mailbox-capacity", "0"], "--mailbox-capacity expected a whole number of messages from 1 to 1000000"],
    [["--review-bytes", "1Mi"], "--review-bytes expected bytes from 8Mi to 1Gi, such as 64Mi"],
    [["--journal-sync=no"], '--journal-sync takes no value, found "no"'],
    [["--data-dir"], "--data-dir has no value: expected --data-dir DIR"],
    [["--data-dir", "/a", "--data-dir", "/b"], "--data-dir is given twice"],
    [["--otlp-endpoint", "collector:4318"], "--otlp-endpoint expected a URL such as http://collector:4318"],
    [["--otlp-endpoint", "http://me:secret@collector"], "without a user or a query"],
    [["--otlp-endpoint", "http://collector/?token=1"], "without a user or a query"],
    [["--trace-ratio", "2", "--otlp-endpoint", "http://a"], "--trace-ratio expected a number from 0 to 1"],
    [["--trace-ratio", "1%", "--otlp-endpoint", "http://a"], "--trace-ratio expected a number from 0 to 1"],
    [["--trace-ratio", "1"], "--trace-ratio expected --otlp-endpoint beside it"],
    [["rules.yaml"], 'expected options only, found "rules.yaml"'],
  ])("refuse %j", (argv, message) => {
    expect(() => parseRunOptions([...required, ...argv], "/")).toThrow(message);
  });

  test("take the value of an unknown option for no other mistake", () => {
    expect(() => parseRunOptions([...required, "--confg", "x"], "/")).toThrow(
      /^unknown option "--confg"\. Did you mean "--config"\?$/,
    );
    expect(() => parseRunOptions([...required, "--confg=x", "y"], "/")).toThrow('expected options only, found "y"');
  });

  test("ask for what is missing, and for all of it", () => {
    expect(() => parseRunOptions([], "/")).toThrow(/--tls-cert-file is missing[^]*--tls-key-file is missing/);
  });
});

test("options of verify", () => {
  expect(parseVerifyOptions(["--config", "a", "--json"], "/b")).toEqual({
    kubeconfig: null,
    config: "/b/a",
    namespace: "kubescribe-system",
    allow: [],
    credentialsDir: null,
    dataDir: "/var/lib/kubescribe",
    installationKeyFile: null,
    json: true,
  });
  expect(parseVerifyOptions(["--allow=https://a/,/b"], "/")).toMatchObject({
    config: null,
    allow: ["https://a/", "/b"],
  });
  expect(() => parseVerifyOptions(["--config", "a", "--journal-sync"], "/")).toThrow('unknown option "--journal-sync"');
});

test("an option may have a letter, and words may stand anywhere where they are taken", () => {
  const parsed = (argv: readonly string[]): readonly unknown[] => {
    const options = parseOptions(argv, { table: whoOptionTable, cwd: "/", takesWords: true });
    return [options.text("namespace"), options.number("limit"), options.words];
  };
  expect(parsed(["cm/a", "-n", "shop", ".data", "-L5"])).toEqual(["shop", 5, ["cm/a", ".data"]]);
  expect(parsed(["--namespace=shop", "--limit", "5", "--", "-a"])).toEqual(["shop", 5, ["-a"]]);
  expect(() => parsed(["-n", "a", "--namespace", "b"])).toThrow("--namespace is given twice");
  expect(() => parsed(["-x"])).toThrow('unknown option "-x"');
  expect(optionHelp(whoOptionTable)).toContain("  -n, --namespace NAME            of the resource");
});

test.each<readonly [string, string | null]>([
  ["demmo", "demo"],
  ["vreify", "verify"],
  ["RUN", "run"],
  ["xyz", null],
])("the command nearest to %s is %s", (word, expected) => {
  expect(nearest(word, ["demo", "run", "verify"])).toBe(expected);
});

test("an endless word is near to nothing", () => {
  expect(nearest("x".repeat(100_000), ["demo"])).toBe(null);
});

test("docs/CONFIGURATION.md has every option, with its default", () => {
  const page = readFileSync(new URL("../../docs/CONFIGURATION.md", import.meta.url), "utf8");
  for (const { name, fallback } of [
    ...runOptionTable,
    ...simulateOptionTable,
    ...verifyOptionTable,
    ...whoOptionTable,
  ]) {
    // Commands may share a name.
    const rows = page.split("\n").filter((line) => line.startsWith(`| \`--${name}`));
    const told = rows.filter((row) => fallback === null || row.includes(`\`${fallback}\``));
    expect(told, `--${name}`).not.toEqual([]);
  }
});
