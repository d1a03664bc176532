/** What somebody may do, in their own tenant or in the one they look at. */

import type { HeldPermission, Me } from "../api/identity.ts";

/** `own`: to what is one's own. `all`: to everything in the tenant. */
export type Reach = "own" | "all";

export class Rights {
  readonly #held: readonly HeldPermission[];

  /** `tenant` is the one that somebody of the installation looks at; `undefined` for the installation itself. */
  constructor({ permissions, tenants = [] }: Pick<Me, "permissions" | "tenants">, tenant: string | undefined) {
    const there = tenants.find((one) => one.tenant === tenant);
    this.#held = [...permissions, ...(there?.permissions ?? [])];
  }

  /** Whether something may be done. Who may do it to everything may do it to their own. */
  may(permission: string, reach: Reach = "all"): boolean {
    return this.#held.some((held) => held.permission === permission && (held.reach === "all" || held.reach === reach));
  }
}
