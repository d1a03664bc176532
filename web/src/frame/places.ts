/** Where somebody can go: the views by address, and what must be permitted for each. */

import type { Me } from "../api/identity.ts";
import type { PlainKey } from "../i18n/catalog.ts";
import type { Rights } from "../login/rights.ts";
import type { IconName } from "../ui/icon.ts";

export type PlaceName =
  | "floor"
  | "work"
  | "experts"
  | "tenants"
  | "people"
  | "keys"
  | "webhooks"
  | "audit"
  | "microsoft"
  | "account"
  | "none";

export type Place = {
  name: PlaceName;
  path: string;
  title: PlainKey;
  sign: IconName;
  /** Not among the ways: reached in another manner. */
  isHidden?: true;
};

/** The places of somebody, the first of which is where they begin. `isInTenant` if a tenant is looked at. */
export function placesOf(me: Me, rights: Rights, isInTenant: boolean): Place[] {
  const places: Place[] = [];
  const follows = isInTenant && rights.may("live:read");
  if (follows) places.push({ name: "floor", path: "/", title: "product.page", sign: "waiting" });
  if (me.agent !== undefined && rights.may("agents:read", "own")) {
    places.push({ name: "work", path: "/work", title: "work.title", sign: "talking" });
  }
  if (isInTenant && rights.may("directory:read")) {
    places.push({ name: "experts", path: "/experts", title: "experts.title", sign: "find" });
  }
  if (rights.may("tenants:read")) places.push({ name: "tenants", path: "/tenants", title: "tenants.title", sign: "house" });
  if (rights.may("people:read")) places.push({ name: "people", path: "/people", title: "people.title", sign: "people" });
  if (rights.may("keys:write")) places.push({ name: "keys", path: "/keys", title: "keys.title", sign: "key" });
  if (isInTenant && rights.may("webhooks:read")) {
    places.push({ name: "webhooks", path: "/webhooks", title: "webhooks.title", sign: "transfer" });
  }
  if (rights.may("audit:read")) places.push({ name: "audit", path: "/audit", title: "audit.title", sign: "list" });
  if (isInTenant && rights.may("tenant:read")) {
    places.push({ name: "microsoft", path: "/microsoft", title: "microsoft.title", sign: "grid" });
  }
  if (places.length === 0) places.push({ name: "none", path: "/", title: "none.title", sign: "dot", isHidden: true });
  if (me.kind === "person") {
    places.push({ name: "account", path: "/account", title: "account.title", sign: "key", isHidden: true });
  }
  return places;
}

/** The place at an address; the first one if there is none. */
export function placeAt(places: readonly Place[], path: string): Place | undefined {
  const [first] = places;
  // Who looks at one of several tenants has seen the list of them.
  const begin = first?.name === "tenants" ? (places.find(({ name }) => name === "microsoft") ?? first) : first;
  if (path.startsWith("/calls/")) return places.find(({ name }) => name === "floor") ?? begin;
  return places.find((place) => place.path === path) ?? begin;
}
