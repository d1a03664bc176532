/** The made-up people of the made-up center: who signs in how, with which token, and what they may do. */

import type { OneClickPerson } from "../src/api/door.ts";
import type { HeldPermission, HeldRole, Me, Role } from "../src/api/identity.ts";

/** Somebody who can sign in. */
export type MockPerson = {
  id: string;
  name: string;
  user_name: string;
  password: string;
  /** Missing for somebody of the installation. */
  tenant?: string;
  roles: HeldRole[];
  agent?: string;
  enabled: boolean;
  configured: boolean;
};

export const TENANTS = [
  { id: "contoso", name: "Contoso" },
  { id: "fabrikam", name: "Fabrikam" },
] as const;

export class MockIdentity {
  /** For how long an access token is good, in seconds. */
  expiresIn_s = 900;
  /** What there is to sign in with. */
  methods = { password: true, entra: true, setup: false, passkey: true };
  /** Whether people sign in with one click. */
  isDemo = true;
  /** What Teams' token is refused with. */
  teamsRefusal: { status: number; code: string; message: string } | undefined;
  readonly people: MockPerson[];
  readonly #access = new Map<string, string>();
  readonly #logins = new Map<string, string>();
  #number = 0;

  constructor(agents: readonly string[]) {
    this.people = peopleOf(agents);
  }

  oneClick(): OneClickPerson[] {
    if (!this.isDemo) return [];
    return this.people.map(({ user_name, name, tenant, roles }) => {
      const tenant_name = TENANTS.find(({ id }) => id === tenant)?.name;
      return { user_name, name, ...(tenant && { tenant }), ...(tenant_name && { tenant_name }), roles: roles.map(({ role }) => role) };
    });
  }

  /** Opens a login: what is for the cookie, and an access token. */
  open(person: MockPerson): { refresh: string; access: string } {
    this.#number += 1;
    const refresh = `refresh-${this.#number}`;
    this.#logins.set(refresh, person.id);
    return { refresh, access: this.#token(person.id) };
  }

  /** The next of both; nothing if there is no such login. */
  renew(refresh: string): { refresh: string; access: string; person: string } | undefined {
    const id = this.#logins.get(refresh);
    if (id === undefined) return undefined;
    this.#logins.delete(refresh);
    this.#number += 1;
    const next = `refresh-${this.#number}`;
    this.#logins.set(next, id);
    return { refresh: next, access: this.#token(id), person: id };
  }

  /** Whom a token belongs to. */
  known(token: string): MockPerson | undefined {
    const id = this.#access.get(token);
    return this.people.find((person) => person.id === id && person.enabled);
  }

  byName(user_name: string): MockPerson | undefined {
    return this.people.find((person) => person.user_name === user_name && person.enabled);
  }

  /** No access token is good any more; logins are. */
  expire(): void {
    this.#access.clear();
  }

  /** Ends all logins of a person, or of everybody. */
  revoke(person?: string): number {
    let ended = 0;
    for (const tokens of [this.#access, this.#logins]) {
      for (const [token, id] of tokens) {
        if (person !== undefined && id !== person) continue;
        tokens.delete(token);
        ended += tokens === this.#logins ? 1 : 0;
      }
    }
    return ended;
  }

  /** How often somebody is signed in. */
  logins(person: string): number {
    return [...this.#logins.values()].filter((id) => id === person).length;
  }

  me(person: MockPerson): Me {
    const { id, name, user_name, tenant, roles, agent } = person;
    const tenant_name = TENANTS.find((one) => one.id === tenant)?.name;
    return {
      kind: "person",
      id,
      name,
      user_name,
      roles,
      ...(tenant && { tenant }),
      ...(tenant_name && { tenant_name }),
      ...(agent && { agent }),
      permissions: permissionsOf(roles.map(({ role }) => role)),
    };
  }

  /** What the root key is. */
  console(): Me {
    const permissions = [...new Set(Object.values(GRANTS).flatMap((grants) => grants.split(" ")))];
    return { kind: "console", roles: [], permissions: permissions.map((one) => ({ permission: one.replace("~", ""), reach: "all" })) };
  }

  #token(person: string): string {
    this.#number += 1;
    const token = `access-${this.#number}`;
    this.#access.set(token, person);
    return token;
  }
}

/** What roles permit, as docs/api.md has it. */
export function permissionsOf(roles: readonly string[]): HeldPermission[] {
  const held = new Map<string, string>();
  for (const grant of roles.flatMap((role) => (GRANTS[role as Role] ?? "").split(" "))) {
    const permission = grant.replace("~", "");
    if (!grant.startsWith("~") || !held.has(permission)) held.set(permission, grant.startsWith("~") ? "own" : "all");
  }
  return [...held].map(([permission, reach]) => ({ permission, reach }));
}

/** `~` before what reaches only to one's own. */
const GRANTS: Record<Role, string> = {
  agent: "queues:read ~agents:read ~agents:write ~presence:write ~calls:read ~calls:write ~live:read ~people:read ~people:write directory:read",
  expert: "~agents:read ~agents:write ~presence:write ~live:read ~people:read ~people:write directory:read",
  supervisor:
    "queues:read queues:write agents:read agents:write presence:write calls:read calls:write recordings:read recordings:write reports:read live:read ~people:read ~people:write directory:read",
  administrator:
    "queues:read queues:write agents:read agents:write presence:write calls:read calls:write recordings:read recordings:write reports:read trunks:read live:read personal_data:erase people:read people:write directory:read keys:write webhooks:read webhooks:write audit:read tenant:read tenant:write",
  operator:
    "trunks:read people:read people:write keys:write audit:read tenant:read tenant:write tenants:read tenants:write metrics:read",
};

function peopleOf(agents: readonly string[]): MockPerson[] {
  const [agent = ""] = agents;
  const person = (name: string, tenant: string | undefined, roles: Role[], more: Partial<MockPerson> = {}): MockPerson => {
    const user_name = (name.split(" ")[0] ?? name).toLowerCase();
    return {
      id: `person-${user_name}`,
      name,
      user_name,
      password: `${user_name} opens the door`,
      ...(tenant && { tenant }),
      roles: roles.map((role) => ({ role, origin: "configuration" })),
      enabled: true,
      configured: true,
      ...more,
    };
  };
  return [
    person("Ada Marsh", "contoso", ["administrator"]),
    person("Sam Okoro", "contoso", ["supervisor"]),
    person("Gus Lind", "contoso", ["agent"], { agent }),
    person("Eve Roux", "contoso", ["expert"]),
    person("Fay Berg", "fabrikam", ["supervisor", "administrator"]),
    person("Otto Kern", undefined, ["operator"]),
  ];
}
