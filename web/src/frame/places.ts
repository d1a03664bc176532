/** Where somebody can go: the views by address, and what must be permitted for each. */

import type { PlainKey } from "../i18n/catalog.ts";
import type { Rights } from "../login/rights.ts";
import type { IconName } from "../ui/icon.ts";

export type PlaceName = "floor" | "none";

export type Place = {
  name: PlaceName;
  path: string;
  title: PlainKey;
  sign: IconName;
  /** Not among the ways: reached in another manner. */
  isHidden?: true;
};

/** The places of somebody, the first of which is where they begin. `isInTenant` if a tenant is looked at. */
export function placesOf(rights: Rights, isInTenant: boolean): Place[] {
  const places: Place[] = [];
  const follows = isInTenant && rights.may("live:read");
  if (follows) places.push({ name: "floor", path: "/", title: "product.page", sign: "waiting" });
  if (places.length === 0) places.push({ name: "none", path: "/", title: "none.title", sign: "dot", isHidden: true });
  return places;
}

/** The place at an address; the first one if there is none. */
export function placeAt(places: readonly Place[], path: string): Place | undefined {
  const [begin] = places;
  if (path.startsWith("/calls/")) return places.find(({ name }) => name === "floor") ?? begin;
  return places.find((place) => place.path === path) ?? begin;
}
