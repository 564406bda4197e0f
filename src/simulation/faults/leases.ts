import { objectAt, stringAt } from "../../simulator/json.ts";
import { CONFIG_MAPS, WIDGETS } from "../../simulator/resource-types.ts";
import type { Fault } from "../fault.ts";

const share = 0.6;

/** Of one type, so that a watch can be cut among them. */
export const leases: Fault = {
  name: "leases",
  help: "several objects vanish in one revision, as Events do, and nobody is asked",
  weight: 1,
  strike: (world, dice) => {
    const { store } = world.cluster;
    const { key: typeKey } = dice.pick([CONFIG_MAPS, CONFIG_MAPS, WIDGETS]);
    const all = store.list(typeKey, { namespace: "", revision: store.revision }) ?? [];
    const keys = all.flatMap(({ object }) => {
      const metadata = objectAt(object, "metadata");
      const at = { typeKey, namespace: stringAt(metadata, "namespace"), name: stringAt(metadata, "name") };
      return dice.chance(share) ? [at] : [];
    });
    if (keys.length === 0) return;
    world.befell("leases", `${keys.length} of ${typeKey}`);
    store.expire(keys, { user: "etcd", subresource: "", reviewed: false });
    if (dice.chance(0.4)) world.network.cut();
  },
};
