/** What oxlint has no rule for: what goes behind the ports' back. */
import { isBuiltin } from "node:module";

/** Of Node only what computes, and is done when it returns. */
const computing = new Set(["assert", "buffer", "path", "path/posix", "string_decoder", "url", "util"]);
const computingMembers = {
  crypto: (name) =>
    /^(?:create(?:Cipheriv|Hash|Hmac|PrivateKey)|hash|hkdfSync|sign|timingSafeEqual|X509Certificate)$/.test(name),
  zlib: (name) => name.endsWith("Sync") || name === "constants" || name === "crc32",
};
/** Packages with sockets, threads, files, timers, or work on Node's thread pool. */
const worldly = /^(?:piscina|ssh2|isomorphic-git|@kubernetes\/client-node|@opentelemetry\/(?!api$)|@peculiar\/x509)/;
/** What no adapter may have, whichever port it fills. */
const clocks = /^(?:timers|timers\/promises|perf_hooks|process|console)$/;
const chance = /^(?:random|webcrypto|getRandomValues)/;

/** Calls `visit` with each import of values, and the names that are taken; null for all of them. Types may come from anywhere. */
function visitImports(visit) {
  const whole = (node) => {
    if (typeof node.source?.value === "string") visit(node, node.source.value, [null]);
  };
  return {
    ImportDeclaration(node) {
      const taken = node.specifiers.filter(({ importKind }) => importKind !== "type");
      if (node.importKind === "type" || (taken.length === 0 && node.specifiers.length > 0)) return;
      visit(node, node.source.value, taken.length === 0 ? [null] : taken.map(({ imported }) => imported?.name ?? null));
    },
    ImportExpression: whole,
    ExportAllDeclaration: whole,
    ExportNamedDeclaration: whole,
  };
}

function touchesWorld(source, names) {
  if (!isBuiltin(source)) return worldly.test(source);
  const module = source.replace(/^node:/, "");
  const computes = computingMembers[module] ?? (() => false);
  return !computing.has(module) && !names.every((name) => name !== null && computes(name));
}

function hidesClockOrChance(source, names) {
  const module = source.replace(/^node:/, "");
  return isBuiltin(source) && (clocks.test(module) || (module === "crypto" && names.some((name) => chance.test(name))));
}

function refusing(refuses, message) {
  return {
    create: (context) =>
      visitImports((node, source, names) => {
        if (refuses(source, names)) context.report({ node, message });
      }),
  };
}

export default {
  meta: { name: "kubescribe" },
  rules: {
    /** `new Date(ms)` only reads a number as a date, `new Date()` and `Date()` read the clock. */
    "no-clock-date": {
      create(context) {
        const check = (node) => {
          if (node.callee.type !== "Identifier" || node.callee.name !== "Date") return;
          if (node.type === "NewExpression" && node.arguments.length > 0) return;
          context.report({ node, message: "This reads the machine's clock: take the time from the Clock port." });
        };
        return { NewExpression: check, CallExpression: check };
      },
    },
    "no-clock-import": refusing(
      hidesClockOrChance,
      "The clock, chance, the process and the console are ports: only the composition root touches them.",
    ),
    /** Off for those who fill a port with sockets, threads or a package that has them. */
    "no-world": refusing(
      touchesWorld,
      "This touches the machine, or ends when the machine likes: take a port. Who fills one is named in .oxlintrc.json.",
    ),
  },
};
