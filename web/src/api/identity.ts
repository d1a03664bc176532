/** Who somebody is, and what they may do, as the program says it. */

export type Role = "agent" | "expert" | "supervisor" | "administrator" | "operator";

/** A role, and where it was said: here, by Entra, or in the configuration. */
export type HeldRole = { role: string; origin: string; group?: string };

/** Something that may be done: `own` to what is the caller's, `all` to everything in the tenant. */
export type HeldPermission = { permission: string; reach: string };

/** Who asks. */
export type Me = {
  /** `person`, `key` or `console`. */
  kind: string;
  id?: string;
  name?: string;
  user_name?: string;
  /** Missing for somebody of the installation. */
  tenant?: string;
  tenant_name?: string;
  /** The agent that the person is. */
  agent?: string;
  roles: HeldRole[];
  permissions: HeldPermission[];
  /** Where somebody of the installation has roles as well. */
  tenants?: { tenant: string; permissions: HeldPermission[] }[];
};

/** A customer with its own contact center. */
export type Tenant = { id: string; name: string; agents: number; signed_in: number; queues: number; open: number };
