import { describe, expect, it } from "vitest";
import { KubescribeError } from "../../machines/error.ts";
import { maxJsonDepth } from "../../src/bytes/json-scan.ts";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import { simulatedSecrets } from "../../src/simulation/simulated-secrets.ts";
import type { SecretOptions } from "../../src/sanitize/secrets.ts";

function yamlOf(json: string, options: { readonly kind?: string; readonly secrets?: SecretOptions } = {}): string {
  const { kind = "ConfigMap", secrets = simulatedSecrets } = options;
  return Buffer.from(manifestOf(Buffer.from(json), { group: "", kind, secrets }).yaml).toString();
}

const secret = JSON.stringify({
  kind: "Secret",
  apiVersion: "v1",
  metadata: {
    name: "a",
    annotations: {
      "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"p":"Y2FuYXJ5"}}',
      "example.com/backup": '{"kind":"Secret", "data" : {"p":"Y2FuYXJ5"}}',
      "example.com/note": "kept",
    },
  },
  data: { p: "Y2FuYXJ5", "": "Y2FuYXJ5" },
  stringData: { q: "canary" },
  type: "Opaque",
});

describe("a manifest", () => {
  it("is block YAML in canonical order that a person can read", () => {
    const json = `{"kind":"Deployment","apiVersion":"apps/v1","spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"a",
      "image":"nginx:1.25","command":["sh","-c","set -e\\nrun\\n"],"args":[],"resources":{"limits":{"memory":"128Mi","cpu":"0.5"}},
      "env":[{"name":"ON","value":"yes"},{"name":"JSON","value":"{\\"a\\": 'b'}"}]}]}}},"metadata":{"name":"web","labels":{"b":"2","a":"x"}}}`;
    expect(yamlOf(json)).toBe(
      [
        "apiVersion: apps/v1",
        "kind: Deployment",
        "metadata:",
        "  labels:",
        "    a: x",
        '    b: "2"',
        "  name: web",
        "spec:",
        "  replicas: 3",
        "  template:",
        "    spec:",
        "      containers:",
        "      - args: []",
        "        command:",
        "        - sh",
        "        - -c",
        "        - |",
        "          set -e",
        "          run",
        "        env:",
        '        - name: "ON"',
        '          value: "yes"',
        "        - name: JSON",
        "          value: '{\"a\": ''b''}'",
        "        image: nginx:1.25",
        "        name: a",
        "        resources:",
        "          limits:",
        '            cpu: "0.5"',
        "            memory: 128Mi",
        "",
      ].join("\n"),
    );
  });

  it("keeps numbers that JavaScript has no place for", () => {
    const json = '{"a":[9007199254740993,-9223372036854775808,18446744073709551615,1.0,0.10,-0,1e5,2E-7,5]}';
    expect(yamlOf(json).split("\n- ").slice(1).join(" ").trim()).toBe(
      "9007199254740993 -9223372036854775808 18446744073709551615 1.0 0.10 -0 1.0e+5 2.0e-7 5",
    );
  });

  it("does not change with the status, managedFields or resourceVersion", () => {
    const of = (version: string, status: object): string =>
      yamlOf(
        JSON.stringify({
          kind: "Thing",
          metadata: { name: "a", resourceVersion: version, managedFields: [{ time: version }] },
          spec: {},
          status,
        }),
      );
    expect(of("2", { phase: "Bound", n: 1.5 })).toBe(of("1", {}));
  });

  it("takes the last of duplicate keys, as the API server does", () => {
    expect(yamlOf('{"a":{"b":1,"b":2},"m":1}')).toBe(yamlOf('{"m":1,"a":{"b":2}}'));
    expect(yamlOf('{"a":{"b":1,"b":2},"m":1.0}')).toBe("a:\n  b: 2\nm: 1.0\n");
  });

  it("takes hostile keys for what they are", () => {
    for (const number of ["1", "1.0"]) {
      const json = `{"__proto__":{"polluted":${number}},"":1,"constructor":{"prototype":{"polluted":1}},"metadata":{"labels":{"__proto__":"x"}}}`;
      const { yaml, labels } = manifestOf(Buffer.from(json), {
        group: "",
        kind: "ConfigMap",
        secrets: simulatedSecrets,
      });
      expect(Buffer.from(yaml).toString()).toBe(
        `metadata:\n  labels:\n    "__proto__": x\n"": 1\n"__proto__":\n  polluted: ${number}\nconstructor:\n  prototype:\n    polluted: 1\n`.replaceAll(
          '"__proto__"',
          "__proto__",
        ),
      );
      expect(Object.keys(labels)).toEqual(["__proto__"]);
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    }
  });

  it("answers for labels and annotations as they are in the cluster", () => {
    const json = '{"metadata":{"labels":{"a":"b","n":1},"annotations":{"deployment.kubernetes.io/revision":"3"}}}';
    const { labels, annotations } = manifestOf(Buffer.from(json), {
      group: "apps",
      kind: "Deployment",
      secrets: simulatedSecrets,
    });
    expect({ ...labels }).toEqual({ a: "b" });
    expect({ ...annotations }).toEqual({ "deployment.kubernetes.io/revision": "3" });
    expect(labels["constructor"]).toBeUndefined();
  });

  it("survives nesting as deep as the API server allows, numbers and all", () => {
    const depth = maxJsonDepth - 1;
    for (const number of ["1", "1.0"]) {
      expect(yamlOf(`{"a":${'{"b":'.repeat(depth)}${number}${"}".repeat(depth)}}`)).toContain(`: ${number}}}}`);
      expect(yamlOf(`{"a":${"[".repeat(depth)}${number}${"]".repeat(depth)}}`).length).toBeLessThan(100_000);
    }
  });

  it("refuses what is no JSON object without quoting it", () => {
    for (const json of [
      "",
      "[]",
      "null",
      "1",
      '{"data":{"p":"canary"}',
      '{"data":{"p":"canary"},"n":1.0',
      '{"canary":1.5.}',
      '{"a":01.5}',
      "{'canary':1}",
    ]) {
      const thrown = errorOf(() => yamlOf(json, { kind: "Secret" }));
      expect(thrown).toBeInstanceOf(KubescribeError);
      expect((thrown as KubescribeError).code).toBe("object-unreadable");
      expect(`${String(thrown)} ${String((thrown as KubescribeError).cause)}`).not.toContain("canary");
    }
  });
});

describe("a Secret", () => {
  it("shows its keys and none of its values", () => {
    const yaml = yamlOf(secret, { kind: "Secret" });
    expect(yaml).not.toMatch(/canary|Y2FuYXJ5/);
    expect(yaml).toMatch(/^data:\n {2}"": "<omitted hmac:[\w-]{22}>"\n {2}p: "<omitted hmac:[\w-]{22}>"\n/m);
    expect(yaml).toContain("example.com/note: kept");
  });

  it("shows where a value became another one, and nowhere that two are equal", () => {
    const shown = (object: Readonly<Record<string, unknown>>, secrets?: SecretOptions): readonly string[] => {
      const yaml = yamlOf(JSON.stringify({ metadata: { name: "a", namespace: "x" }, ...object }), {
        kind: "Secret",
        ...(secrets === undefined ? {} : { secrets }),
      });
      return [...yaml.matchAll(/<omitted hmac:([\w-]{22})>/g)].map(([, mac = ""]) => mac);
    };
    const data = { p: "Y2FuYXJ5", q: "Y2FuYXJ5" };
    const [p = "", q = ""] = shown({ data });
    expect(shown({ data, metadata: { name: "a", namespace: "x", uid: "2", labels: { l: "1" } } })).toEqual([p, q]);
    expect(shown({ data: { ...data, p: "b3RoZXI=" } })).toEqual([expect.not.stringContaining(p), q]);
    const everywhere = [
      ...shown({ data }),
      ...shown({ data, metadata: { name: "b", namespace: "x" } }),
      ...shown({ data, metadata: { name: "a", namespace: "y" } }),
      ...shown({ data, metadata: { name: "x", namespace: "a" } }),
      ...shown({ stringData: data }),
      ...shown({ data }, { policy: "omit", fingerprintKey: Buffer.alloc(32, 1).toString("base64") }),
    ];
    expect(everywhere).toHaveLength(12);
    expect(new Set(everywhere).size).toBe(12);
  });

  it("tells values of other types apart", () => {
    const values = ["1", 1, "", null, [], {}, ["1"], '["1"]', { a: 1 }, true, "true"];
    const yamls = values.map((p) => yamlOf(JSON.stringify({ data: { p } }), { kind: "Secret" }));
    expect(new Set(yamls).size).toBe(values.length);
    for (const yaml of yamls) expect(yaml).toMatch(/^data:\n {2}p: "<omitted hmac:[\w-]{22}>"\n$/);
  });

  it("has its values in no annotation, in whatever form a copy is", () => {
    const annotations = {
      yaml: "data:\n  p: aHVudGVyMmh1bnRlcjI=\n",
      nested: JSON.stringify({ body: JSON.stringify({ data: { p: "aHVudGVyMmh1bnRlcjI=" } }) }),
      clear: "hunter2hunter2, by Bob",
      written: "p is correcthorse",
      echoed: "it was batterystaple",
      harmless: "rotate it on Mondays",
    };
    const json = JSON.stringify({
      metadata: { annotations },
      data: { p: "aHVudGVyMmh1bnRlcjI=", short: "YQ==", line: Buffer.from("batterystaple\n").toString("base64") },
      stringData: { q: "correcthorse" },
    });
    const yaml = yamlOf(json, { kind: "Secret" });
    expect(yaml).not.toMatch(/aHVudGVy|hunter2|correcthorse|batterystaple/);
    expect(yaml).toContain("harmless: rotate it on Mondays");
  });

  it("is known by its own word, too", () => {
    expect(yamlOf(secret, { kind: "ConfigMap" })).not.toMatch(/canary|Y2FuYXJ5/);
  });

  it("is written whole on request, but for copies of itself", () => {
    const yaml = yamlOf(secret, { kind: "Secret", secrets: { policy: "keep" } });
    expect(yaml).toContain("p: Y2FuYXJ5");
    expect(yaml).not.toContain("last-applied");
  });
});

function errorOf(task: () => unknown): unknown {
  try {
    return task();
  } catch (error) {
    return error;
  }
}

it("reads a key with an escape as it is written, whatever keys V8 met before", () => {
  for (let seen = 0; seen < 3; seen += 1) yamlOf('{"a":"0","\\\\":"1"}');
  expect(yamlOf('{"a":"0","\\"":"1"}')).not.toBe(yamlOf('{"a":"0","\\\\":"1"}'));
});
