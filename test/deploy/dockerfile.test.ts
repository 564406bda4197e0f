/** The image's steps without Docker: its files copied and its commands run in an empty directory, then used as a Pod uses them. */

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const steps = readFileSync(join(root, "deploy/Dockerfile"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
const work = mkdtempSync(join(tmpdir(), "kubescribe-image-"));
const app = join(work, "app");
const nobody = 65532;
/** Where root may not write is known only to others. */
const asNobody = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};

afterAll(() => {
  execFileSync("chmod", ["-R", "u+w", work]);
  rmSync(work, { recursive: true });
});

function copy(words: readonly string[]): void {
  const to = words.at(-1) ?? "";
  for (const from of words.slice(0, -1)) {
    const target = join(app, to, to === "./" || to.endsWith("/") ? (from.split("/").at(-1) ?? "") : "");
    mkdirSync(dirname(target), { recursive: true });
    const source = join(root, from);
    if (existsSync(source)) cpSync(source, target, { recursive: true });
    // Written by others: as long as it is not there, anything stands for it.
    else writeFileSync(target, "{}\n");
  }
}

function kubescribe(...args: readonly string[]): {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(app, "src/main.ts"), ...args], {
    cwd: "/",
    env: { HOME: join(work, "nowhere"), NODE_COMPILE_CACHE: join(app, "compiled") },
    encoding: "utf8",
    ...asNobody,
  });
  return { code: status, stdout, stderr };
}

describe("deploy/Dockerfile", () => {
  const from = steps.flatMap((line, index) => (line.startsWith("FROM ") ? [index] : []));

  beforeAll(() => {
    mkdirSync(app);
    const env = {
      ...process.env,
      HOME: join(work, "home"),
      PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
    };
    for (const line of steps.slice(from[0], from[1])) {
      const [word = "", ...rest] = line.split(" ");
      if (word === "COPY") copy(rest);
      if (word === "RUN")
        execFileSync("sh", ["-c", rest.join(" ")], { cwd: app, env, stdio: ["ignore", "ignore", "inherit"] });
    }
    execFileSync("chmod", ["-R", "a-w,a+rX", app]);
    execFileSync("chmod", ["a+rx", work]);
  });

  test("copies what its ignore file lets through, and nothing else", () => {
    const allowed = readFileSync(join(root, "deploy/Dockerfile.dockerignore"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const copied = steps
      .slice(from[0], from[1])
      .filter((line) => line.startsWith("COPY "))
      .flatMap((line) => line.split(" ").slice(1, -1));
    expect(copied.toSorted()).toEqual(allowed.toSorted());
  });

  test("has production's packages alone, and a list of them", () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
      "dependencies" | "devDependencies",
      Readonly<Record<string, string>>
    >;
    for (const name of Object.keys(dependencies)) expect(existsSync(join(app, "node_modules", name)), name).toBe(true);
    const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
      readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
    };
    // Some of them production's packages need as well.
    for (const name of Object.keys(devDependencies)) {
      const needed = packages[`node_modules/${name}`]?.dev !== true;
      expect(existsSync(join(app, "node_modules", name)), name).toBe(needed);
    }
    const sbom = JSON.parse(readFileSync(join(app, "sbom.cdx.json"), "utf8")) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly purl: string }[];
    };
    expect(sbom.bomFormat).toBe("CycloneDX");
    const listed = new Set(sbom.components.map(({ purl }) => purl));
    for (const [name, version] of Object.entries(dependencies))
      expect(listed).toContain(`pkg:npm/${name.replace("@", "%40")}@${version}`);
  });

  test("runs from a tree that it cannot write to, without a home, as nobody", () => {
    expect(kubescribe("--version")).toMatchObject({ code: 0, stderr: "" });
    const printed = kubescribe("install", "--dashboard", "--prometheus-rule");
    expect({ code: printed.code, stderr: printed.stderr }).toEqual({ code: 0, stderr: "" });
    expect(printed.stdout).toContain("kind: PrometheusRule");
    expect(kubescribe("run", "--help")).toMatchObject({ code: 0, stderr: "" });
  });

  test("is one layer on its base, and not root's", () => {
    const last = steps.slice(from[1]);
    expect(last.filter((line) => /^(?:COPY|RUN|ADD) /.test(line))).toEqual(["COPY --from=build /app /app"]);
    expect(last).toContain(`USER ${nobody}:${nobody}`);
    expect(last).toContain('ENTRYPOINT ["node", "/app/src/main.ts"]');
  });
});
