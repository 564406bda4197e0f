/** Who acts in the demo: people, a pipeline, controllers. Each has a token at the simulated API server. */

import type { User } from "../simulator/review.ts";

function person(name: string): User {
  return { name, groups: ["system:authenticated"], uid: `uid-${name}` };
}

function serviceAccount(namespace: string, name: string): User {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid: `uid-${namespace}-${name}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
  };
}

export const ALICE = person("alice@example.com");
export const BOB = person("bob@example.com");
export const CAROL = person("carol@example.com");
export const DEPLOYER = serviceAccount("shop", "deployer");
export const DEPLOYMENT_CONTROLLER = serviceAccount("kube-system", "deployment-controller");
export const CLEANER = serviceAccount("shop", "backup-cleaner");
/** Sets the stage, before anybody looks. */
export const ADMIN = person("admin@example.com");
/** The product itself. */
export const KUBESCRIBE = serviceAccount("kubescribe", "kubescribe");

/** Ten people who change one resource at once. */
export const CROWD: readonly User[] = [
  ALICE,
  BOB,
  CAROL,
  ...["dan", "erin", "frank", "grace", "heidi", "ivan", "judy"].map((name) => person(`${name}@example.com`)),
];

export const EVERYBODY: readonly User[] = [...CROWD, DEPLOYER, DEPLOYMENT_CONTROLLER, CLEANER, ADMIN, KUBESCRIBE];

/** Only this process ever knows the simulated API server's tokens. */
export function tokenOf(user: User): string {
  return `demo-${Buffer.from(user.name).toString("base64url")}`;
}
