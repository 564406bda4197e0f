/** What oxlint has no rule for: `new Date(ms)` only reads a number as a date, `new Date()` and `Date()` read the clock. */
export default {
  meta: { name: "kubescribe" },
  rules: {
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
  },
};
