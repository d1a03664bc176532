/** Who somebody is, and what they may do, as the program says it. */

import type { Told } from "./told.ts";

export type Role = "agent" | "expert" | "supervisor" | "administrator" | "operator";

/** A role, and where it was said: here, by Entra, or in the configuration. */
export type HeldRole = Told<"HeldRole">;

/** Something that may be done: `own` to what is the caller's, `all` to everything in the tenant. */
export type HeldPermission = Told<"HeldPermission">;

/** Who asks. */
export type Me = Told<"Me">;

/** A customer with its own contact center. */
export type Tenant = Told<"Tenant">;
