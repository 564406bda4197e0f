import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { chartFiles } from "../../deploy/chart-files.ts";
import { chartText } from "../../deploy/chart-text.ts";
import type { Template } from "../../src/manifests/template.ts";
import { each, item, text, value, when, given, not } from "../../src/manifests/template.ts";

const chart = new URL("../../deploy/chart/", import.meta.url);

describe("deploy/chart", () => {
  test("is what the manifests say: `npm run chart` writes it", () => {
    const written = chartFiles();
    const byHand = ["templates/NOTES.txt"];
    const there = readdirSync(chart, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(chart.pathname.length).replace(/^\//, ""));
    expect(there.toSorted()).toEqual([...written.keys(), ...byHand].toSorted());
    for (const [path, wanted] of written) expect(readFileSync(new URL(path, chart), "utf8"), path).toBe(wanted);
  });
});

describe("a template for Helm", () => {
  const lines = (template: Template): string => chartText([{ file: "a", comment: null, template }]);

  test("quotes what YAML would misread", () => {
    expect(lines({ a: "yes", b: "5", c: "x y", d: "a: b", e: "", "f/g.h": true, on: null })).toBe(
      '---\na: "yes"\nb: "5"\nc: x y\nd: "a: b"\ne: ""\nf/g.h: true\n"on": null\n',
    );
  });

  test("leaves out and repeats whole lines", () => {
    const template = {
      a: when(given("dashboard"), { b: value("cpu") }, { c: [] }),
      d: [when(not(given("dashboard")), "e"), each("gitSecrets", { f: text("x-", item("name")) })],
    };
    expect(lines(template)).toBe(`---
{{- if $.Values.dashboard }}
a:
  b: {{ toJson $.Values.cpu }}
{{- else }}
a:
  c: []
{{- end }}
d:
{{- if not ($.Values.dashboard) }}
- e
{{- end }}
{{- range $item := $.Values.gitSecrets }}
- f: "x-{{ $item.name }}"
{{- end }}
`);
  });

  test("is refused where Helm would take words for an action", () => {
    expect(() => lines({ a: "{{ .Values }}" })).toThrow("Helm would read this as an action");
    expect(() => lines({ a: [{ b: when(given("dashboard"), 1) }] })).toThrow(
      "The first field of an item cannot be left out",
    );
  });
});
