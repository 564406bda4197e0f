/** What befalls the installation, in turn. */

import type { Household } from "./household.ts";

export interface Incident {
  readonly name: "certificates renewed" | "rules changed" | "pod replaced" | "left alone";
  readonly strike: (household: Household) => Promise<void>;
  /** Until the next. */
  readonly restSeconds: number;
}

const renewal: Incident = {
  name: "certificates renewed",
  strike: (household) => household.rotate(),
  restSeconds: 15,
};

const rules: Incident = {
  name: "rules changed",
  strike: (household) => household.changeRules(),
  restSeconds: 15,
};

const replacement: Incident = {
  name: "pod replaced",
  strike: (household) => household.replacePod(),
  restSeconds: 20,
};

const quiet: Incident = { name: "left alone", strike: () => Promise.resolve(), restSeconds: 30 };

export const incidents: readonly Incident[] = [
  renewal,
  rules,
  quiet,
  rules,
  renewal,
  replacement,
  quiet,
  rules,
  renewal,
  rules,
  replacement,
  renewal,
  rules,
  quiet,
];
