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

interface LockedPackage {
  readonly version: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

function packagesIn(file: string): readonly (readonly [string, LockedPackage])[] {
  const { packages } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function kubescribe(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(app, "src/main.ts"), ...args], {
    cwd: "/",
    env: { HOME: join(work, "nowhere"), NODE_COMPILE_CACHE: join(app, "compiled"), ...env },
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
    execFileSync("chmod", ["a+rx", work]);
    let user: object = {};
    for (const line of steps.slice(from[0], from[1])) {
      const [word = "", ...rest] = line.split(" ");
      if (word === "COPY") copy(rest);
      if (word === "USER") user = asNobody;
      // Who is not root owns it already.
      const command = "uid" in asNobody ? rest.join(" ") : rest.join(" ").replace(/ && chown .*$/, "");
      if (word === "RUN")
        execFileSync("sh", ["-c", command], { cwd: app, env, stdio: ["ignore", "ignore", "inherit"], ...user });
    }
    execFileSync("chmod", ["-R", "a-w,a+rX", app]);
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

  test("has production's packages alone, in the versions of the lock file, and a list of them", () => {
    const locked = packagesIn(join(root, "package-lock.json"));
    const installed = packagesIn(join(app, "node_modules/.package-lock.json"));
    const versions = installed.map(([path, { version }]) => [path, version] as const);
    expect(versions).toEqual(
      locked.flatMap(([path, { version, dev, optional, devOptional }]) =>
        path === "" || dev === true || optional === true || devOptional === true ? [] : [[path, version]],
      ),
    );
    const { bomFormat, components } = JSON.parse(readFileSync(join(app, "sbom.cdx.json"), "utf8")) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly purl: string }[];
    };
    expect(bomFormat).toBe("CycloneDX");
    const wanted = versions.map(([path, version]) => `pkg:npm/${path.split("node_modules/").at(-1) ?? ""}@${version}`);
    expect(new Set(components.map(({ purl }) => decodeURIComponent(purl)))).toEqual(new Set(wanted));
  });

  test("runs from a tree that it cannot write to, without a home, as nobody", () => {
    expect(kubescribe({}, "--version")).toMatchObject({ code: 0, stderr: "" });
    const printed = kubescribe({}, "install", "--dashboard", "--prometheus-rule");
    expect({ code: printed.code, stderr: printed.stderr }).toEqual({ code: 0, stderr: "" });
    expect(printed.stdout).toContain("kind: PrometheusRule");
    expect(kubescribe({}, "run", "--help")).toMatchObject({ code: 0, stderr: "" });
  });

  test("starts with what was compiled when it was built", () => {
    const told = kubescribe({ NODE_DEBUG_NATIVE: "COMPILE_CACHE" }, "run", "--help");
    const used = told.stderr.split("\n").filter((line) => line.includes("was accepted")).length;
    expect(told.stderr).not.toContain("Cannot create cache directory");
    expect(used).toBeGreaterThan(100);
  });

  test("is one layer on its base, and not root's", () => {
    const last = steps.slice(from[1]);
    expect(last.filter((line) => /^(?:COPY|RUN|ADD) /.test(line))).toEqual(["COPY --from=build /app /app"]);
    expect(last).toContain(`USER ${nobody}:${nobody}`);
    expect(last).toContain('ENTRYPOINT ["node", "/app/src/main.ts"]');
  });
});
