/** CREATE: name and uid are there before the review (K9); a generated name that is taken is tried again with a new one. */

import { attemptOf, authorshipOf, refusalOf } from "./attempt.ts";
import type { SimulatedCluster, Write, WriteRequest } from "./cluster.ts";
import { decode } from "./decode.ts";
import { writerOf } from "./derive.ts";
import { objectAt, stringAt } from "./json.ts";
import { applyConfiguration, trackUpdate } from "./managed-fields.ts";
import type { Rendered } from "./rendered.ts";
import { render, textOf } from "./rendered.ts";
import type { ApiAnswer } from "./status.ts";
import { failure, named } from "./status.ts";
import { prepareForCreate } from "./strategy.ts";
import { refuseInvalid } from "./validation.ts";

/** Names that generateName tries before it gives up. */
const GENERATED_NAMES = 8;

export function* createObject(cluster: SimulatedCluster, request: WriteRequest): Write {
  const { type, namespace } = request;
  const given = objectAt(request.body, "metadata");
  const generateName = stringAt(given, "generateName");
  const fixedName = stringAt(given, "name");
  const refusal = refuseCreation(cluster, request, fixedName || generateName);
  if (refusal !== null) return refusal;
  for (let turn = 1; ; turn += 1) {
    const name = fixedName === "" ? generateName + cluster.newSuffix() : fixedName;
    const rendered = bear(cluster, request, name);
    const invalid = refuseInvalid(type, rendered.object, null);
    if (invalid !== null) return invalid;
    const attempt = attemptOf(cluster, request, {
      operation: "CREATE",
      name,
      object: textOf(rendered, 0),
      oldObject: null,
    });
    const answer = yield attempt;
    const denied = refusalOf(cluster, attempt, answer);
    if (denied !== null) return denied;
    const at = { typeKey: type.key, namespace, name };
    if (request.dryRun && cluster.store.get(at) === null) return { status: 201, body: textOf(rendered, 0) };
    const event = request.dryRun
      ? null
      : cluster.store.swap({ at, expected: 0, next: rendered, authorship: authorshipOf(request, answer) });
    if (event !== null) return { status: 201, body: textOf(rendered, event.revision) };
    if (fixedName !== "" || turn === GENERATED_NAMES) {
      return failure("AlreadyExists", `${named(type, name)} already exists`);
    }
  }
}

/** The object as it is reviewed, by a POST, a PUT or an apply. */
export function bear(cluster: SimulatedCluster, request: WriteRequest, name: string): Rendered {
  const { type, namespace, body } = request;
  const writer = writerOf(cluster, request);
  const bornAs = cluster.newBirth(namespace, name);
  if (request.patch?.kind === "apply") {
    const applied = applyConfiguration(type, { live: null, configuration: body }, { writer, force: true });
    const object = applied.kind === "applied" ? applied.object : body;
    return render(prepareForCreate(type, decode(type, object), bornAs), type.layout);
  }
  const next = decode(type, body);
  return render(prepareForCreate(type, trackUpdate(type, { live: null, next }, writer), bornAs), type.layout);
}

/** What is said before anybody is asked; null where nothing is. */
export function refuseCreation(cluster: SimulatedCluster, request: WriteRequest, name: string): ApiAnswer | null {
  const { type, namespace } = request;
  if (name === "")
    return failure(
      "Invalid",
      `${type.kind} "" is invalid: metadata.name: Required value: name or generateName is required`,
    );
  if (stringAt(objectAt(request.body, "metadata"), "resourceVersion") !== "") {
    return request.verb === "create"
      ? failure("BadRequest", "resourceVersion should not be set on objects to be created")
      : failure("Conflict", `${named(type, name)} is not there any more`);
  }
  if (!type.namespaced) return null;
  switch (cluster.namespaceState(namespace)) {
    case "absent":
      return failure("NotFound", `namespaces "${namespace}" not found`);
    case "terminating":
      return failure(
        "Forbidden",
        `${named(type, name)} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
      );
    default:
      return null;
  }
}
