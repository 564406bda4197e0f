/** What the process says of its rules. Conditions: Ready (it is being recorded), Synced (the branch is up to date), Pushed. */

import type { Schema } from "./schema.ts";

const time = (description: string): Schema => ({ type: "string", format: "date-time", description });
const count = (description: string): Schema => ({ type: "integer", format: "int64", minimum: 0, description });

const conditions: Schema = {
  type: "array",
  description: "Ready, Synced and Pushed.",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["type"],
  items: {
    type: "object",
    description: "One thing that holds, or does not.",
    required: ["type", "status", "lastTransitionTime", "reason", "message"],
    properties: {
      type: { type: "string", description: "What it is about.", maxLength: 316 },
      status: { type: "string", description: "Whether it holds.", enum: ["True", "False", "Unknown"] },
      reason: { type: "string", description: "Why, in one word.", minLength: 1, maxLength: 1024 },
      message: { type: "string", description: "Why, and what to do.", maxLength: 32_768 },
      lastTransitionTime: time("Since when."),
      observedGeneration: count("The generation that this was said of."),
    },
  },
};

const shared = { conditions, observedGeneration: count("The generation that this status is of.") };

export const repositoryStatus: Schema = {
  type: "object",
  description: "How recording goes. Written by kubescribe.",
  properties: {
    ...shared,
    lastCommit: { type: "string", description: "The commit that was made last." },
    lastCommitTime: time("When it was made."),
    lastPushTime: time("When the remote was last seen to have all of it."),
    unpushedCommits: count("Commits that the remote does not have yet."),
    verdicts: {
      type: "object",
      description: "Changes since the process began, by how their authors are known.",
      additionalProperties: { type: "integer", format: "int64" },
    },
  },
};

export const ruleStatus: Schema = {
  type: "object",
  description: "What is watched. Written by kubescribe.",
  properties: {
    ...shared,
    watchedTypes: {
      type: "array",
      description: "Types that this rule names and that are watched, such as deployments.v1.apps.",
      "x-kubernetes-list-type": "atomic",
      items: { type: "string" },
    },
  },
};
