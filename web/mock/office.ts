/** What administrators, agents and experts ask the made-up center for: people, keys, webhooks, the trail, Microsoft, the directory. */

import type { Act, Delivery, Key, MicrosoftState, Passkey, Person, Webhook } from "../src/api/admin.ts";
import type { Found } from "../src/api/directory.ts";
import type { MockCenter } from "./center.ts";
import type { MockIdentity, MockPerson } from "./identity.ts";

/** What is answered: the status, and a body if there is one. */
export type Reply = { status: number; body?: unknown };

/** Who asks for what. */
export type Request = {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  caller: MockPerson | "console";
};

export class MockOffice {
  keys: Key[] = [{ id: "tk_7Q2M", name: "Wallboard", scopes: ["queues:read"], created_by: "person-ada", created: at(-86_400), used: at(-60) }];
  webhooks: Webhook[] = [
    {
      id: "wh-1",
      url: "https://crm.example/tandem",
      description: "Customer records",
      types: ["interaction.closed"],
      include_personal: true,
      state: "failing",
      attempts: 3,
      created_at: at(-86_400),
      created_by: "person-ada",
      cursor: 40,
      newest: 52,
    },
  ];
  deliveries: Delivery[] = [
    { entry: 2, number: 41, attempt: 3, at: at(-30), took_us: 120_000, taken: false, status: 503 },
    { entry: 1, number: 40, attempt: 1, at: at(-90), took_us: 80_000, taken: true, status: 200 },
  ];
  acts: Act[] = Array.from({ length: 60 }, (_, index) => actOf(60 - index));
  passkeys: Passkey[] = [];
  /** What is at Microsoft; nothing if that is not set up. */
  microsoft: MicrosoftState | undefined = MICROSOFT;
  /** What comes of the configuration when it is brought into force. */
  reloaded: Reply = ok({ tenants_added: ["adatum"], tenants_changed: [], trunks_added: ["teams-adatum"], people_changed: 2 });
  readonly found: Found[] = FOUND;
  readonly #center: MockCenter;
  readonly #identity: MockIdentity;

  constructor(center: MockCenter, identity: MockIdentity) {
    this.#center = center;
    this.#identity = identity;
  }

  /** Answers a request; nothing if it is for somebody else. */
  answer(request: Request): Reply | undefined {
    const path = request.path.replace("/api/v1/installation/", "/api/v1/");
    const [, , , noun = "", id = "", more = ""] = path.split("/");
    switch (noun) {
      case "people":
        return this.#people(request, decodeURIComponent(id), more);
      case "keys":
        return this.#keysOf(request, decodeURIComponent(id));
      case "webhooks":
        return this.#webhooksOf(request, id, more);
      case "audit":
        return this.#audit(request.query);
      case "microsoft":
        return this.#microsoftOf(request);
      case "directory":
        return id === "" ? this.#directory(request.query) : undefined;
      case "me":
        return this.#mine(request, id, more);
      case "agents":
        return request.method === "GET" && id !== "" && more === "" ? this.#agent(decodeURIComponent(id)) : undefined;
      case "calls":
        return id === "" ? ok({ calls: this.#calls() }) : undefined;
      case "configuration":
        return this.reloaded;
      case "tenants":
        return more === "onboarding" ? ok({ url: "https://tandem.example/auth/consent/start?ticket=abc", expires_in_s: 604_800 }) : undefined;
      default:
        return undefined;
    }
  }

  #people({ method, body, path }: Request, id: string, more: string): Reply {
    const all = this.#identity.people;
    const isInstallation = path.includes("/installation/");
    const person = all.find((one) => one.id === id);
    if (id === "" && method === "GET") {
      const theirs = all.filter(({ tenant }) => (isInstallation ? tenant === undefined : tenant === "contoso"));
      return ok({ people: theirs.map((one) => this.#shown(one)) });
    }
    if (id === "") {
      const added: MockPerson = {
        id: `person-${all.length}`,
        user_name: "",
        password: "",
        tenant: "contoso",
        enabled: true,
        configured: false,
        ...(body as { name: string }),
        roles: rolesOf(body["roles"]),
      };
      all.push(added);
      return { status: 201, body: this.#shown(added) };
    }
    if (!person) return { status: 404, body: { code: "not_found", message: "there is no such person" } };
    if (more === "invitation") return { status: 201, body: { code: "c-1", path: "/invitation#c-1", until: at(3_600) } };
    if (more === "logins") return ok({ ended: this.#identity.revoke(person.id) });
    if (person.configured) return { status: 409, body: { code: "of_configuration", message: "this person stands in the configuration" } };
    if (method === "DELETE") {
      all.splice(all.indexOf(person), 1);
      return ok({ id });
    }
    Object.assign(person, body, body["roles"] ? { roles: rolesOf(body["roles"]) } : {});
    return ok(this.#shown(person));
  }

  #shown({ id, name, user_name, roles, agent, enabled, configured }: MockPerson): Person {
    const logins = this.#identity.logins(id);
    return { id, name, ...(user_name && { user_name }), roles, ...(agent && { agent }), enabled, configured, logins };
  }

  #keysOf({ method, body }: Request, id: string): Reply {
    if (method === "GET") return ok({ keys: this.keys });
    if (method === "DELETE") {
      this.keys = this.keys.filter((key) => key.id !== id);
      return ok({ id });
    }
    const key: Key = { id: `tk_${this.keys.length}`, created_by: "person-ada", created: at(0), ...(body as { name: string; scopes: string[] }) };
    this.keys.push(key);
    return { status: 201, body: { key, secret: "tk_secret_shown_once" } };
  }

  #webhooksOf({ method, body }: Request, id: string, more: string): Reply {
    if (id === "" && method === "GET") return ok({ webhooks: this.webhooks });
    const wanted = body as { url: string; description: string; types: Webhook["types"]; include_personal: boolean; paused?: boolean };
    if (id === "") {
      const webhook: Webhook = { id: `wh-${this.webhooks.length + 1}`, state: "active", created_at: at(0), created_by: "person-ada", cursor: 52, newest: 52, ...wanted };
      this.webhooks.push(webhook);
      return { status: 201, body: { webhook, secret: "whsec_shown_once" } };
    }
    switch (more) {
      case "deliveries":
        return ok({ deliveries: this.deliveries });
      case "test":
        return ok({ taken: false, error: "the connection was refused", took_us: 900 });
      case "resend":
        return ok({ taken: true, status: 200, took_us: 900 });
      case "replay":
        return ok({ cursor: 0 });
      case "secret":
        return ok({ secret: "whsec_another", previous_until: at(86_400) });
      default: {
        const webhook = this.webhooks.find((one) => one.id === id);
        if (method === "DELETE") this.webhooks = this.webhooks.filter((one) => one.id !== id);
        else if (webhook) Object.assign(webhook, { state: wanted.paused ? "paused" : "active" });
        return method === "DELETE" ? { status: 204 } : ok(webhook);
      }
    }
  }

  #audit(query: URLSearchParams): Reply {
    const [act = "", outcome = "", who = ""] = ["act", "outcome", "who"].map((name) => query.get(name) ?? "");
    const [first, last] = [Number(query.get("from") ?? "0"), Number(query.get("to") ?? "Infinity")];
    const wanted = this.acts.filter((one) => {
      const told = one.code === undefined ? one.outcome : `${one.outcome}.${one.code}`;
      return one.act.startsWith(act) && told.startsWith(outcome) && (who === "" || one.id === who) && one.at >= first && one.at < last;
    });
    const from = Number(query.get("cursor") ?? "0");
    const next = from + 50 < wanted.length ? { next: String(from + 50) } : {};
    return ok({ acts: wanted.slice(from, from + 50), ...next });
  }

  #microsoftOf({ method, path }: Request): Reply {
    if (!this.microsoft) return { status: 404, body: { code: "no_microsoft", message: "Microsoft is not configured here" } };
    if (method === "POST") return ok({ url: "https://tandem.example/auth/consent/start?ticket=xyz", expires_in_s: 3_600 });
    if (method === "DELETE") {
      const { connections, ...rest } = this.microsoft;
      this.microsoft = { ...rest, connections: connections.filter(({ id }) => !path.endsWith(id)) };
      return { status: 204 };
    }
    return ok(this.microsoft);
  }

  #directory(query: URLSearchParams): Reply {
    const [q, skill, department] = ["q", "skill", "department"].map((name) => plain(query.get(name) ?? ""));
    const people = this.found.filter((person) => {
      const skills = person.skills?.map(({ name }) => plain(name)) ?? [];
      const all = plain([person.name, person.department, person.job_title, ...skills].join(" "));
      return all.includes(q ?? "") && skills.join(" ").includes(skill ?? "") && plain(person.department ?? "").includes(department ?? "");
    });
    return ok({ people });
  }

  #mine({ method, body, caller }: Request, what: string, id: string): Reply | undefined {
    const name = caller === "console" ? "" : caller.name;
    switch (what) {
      case "credentials":
        return ok({ password_since: at(-86_400), passkeys: this.passkeys });
      case "password":
        return body["current"] === "wrong" ? { status: 401, body: { code: "wrong_credential", message: "no" } } : { status: 204 };
      case "passkeys":
        return this.#passkeysOf(method, body, id, name);
      case "logins":
        if (method === "DELETE") return id === "" ? ok({ ended: 1 }) : { status: 204 };
        return ok({
          logins: [
            { id: "l-1", how: "demo", label: "Chromium", created: at(-60), used: at(-1), expires: at(86_400), this: true },
            { id: "l-2", how: "entra", label: "Edge", created: at(-600), used: at(-90), expires: at(86_400), this: false },
          ],
        });
      default:
        return undefined;
    }
  }

  #passkeysOf(method: string, body: Record<string, unknown>, id: string, name: string): Reply {
    if (id === "begin") return ok(creationOptions(name));
    if (method === "DELETE") {
      this.passkeys = this.passkeys.filter((one) => one.id !== decodeURIComponent(id));
      return { status: 204 };
    }
    const { id: key } = body["response"] as { id: string };
    this.passkeys.push({ id: key, label: String(body["label"]), created: at(0) });
    return { status: 201, body: {} };
  }

  #agent(id: string): Reply {
    const { live } = this.#center.view;
    const view = live.agents[id];
    const agent = this.#center.agents.find((one) => one.id === id);
    if (!view || !agent) return { status: 404, body: { code: "not_found", message: "there is no such agent" } };
    const { name, since, chosen, presence, state } = view;
    return ok({
      id,
      name,
      queues: agent.queues.map((queue) => queue.id),
      skills: agent.skills,
      state,
      since,
      chosen,
      work: (view.work ?? []).map((one) => ({ interaction: one.interaction, doing: one.doing, until: "until" in one ? one.until : undefined })),
      ...(presence && { presence: { ...presence, stops: presence.presence !== "available", confidence: "told" } }),
    });
  }

  #calls(): object[] {
    const { interactions } = this.#center.view.live;
    return Object.entries(interactions).map(([id, one]) => {
      const from = typeof one.from === "object" && one.from && "phone" in one.from ? one.from.phone : "anonymous";
      return { id: Number(id), from, queue: "queue" in one ? one.queue : undefined };
    });
  }
}

function rolesOf(roles: unknown): MockPerson["roles"] {
  return (roles as string[]).map((role) => ({ role, origin: "assigned" }));
}

function actOf(number: number): Act {
  const isRefused = number % 7 === 0;
  return {
    number,
    at: at(number - 60),
    who: isRefused ? "key" : "person",
    id: isRefused ? "tk_7Q2M" : "person-ada",
    name: isRefused ? "Wallboard" : "Ada Marsh",
    act: isRefused ? "person.view" : "agent.state",
    object: isRefused ? "person/person-fay" : "agent/agent-1",
    outcome: isRefused ? "refused" : "done",
    ...(isRefused && { code: "not_yours" }),
    detail: isRefused ? {} : { state: "break" },
  };
}

function ok(body: unknown): Reply {
  return { status: 200, body };
}

/** A moment, as seconds from when the made-up center is usually looked at. */
function at(seconds: number): number {
  return Date.UTC(2026, 0, 15, 9) * 1000 + seconds * 1e6;
}

function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
}

const FOUND: Found[] = [
  {
    id: "u-1",
    name: "Zoé Lefèvre",
    department: "Network",
    job_title: "Engineer",
    phone: "+33 1 99 00 12 34",
    skills: [{ name: "fibre", level: 8, source: "tandem" }],
    availability: "Busy",
    activity: "InAMeeting",
    presence_age_ms: 8_000,
  },
  {
    id: "u-2",
    name: "Omar Said",
    department: "Billing",
    job_title: "Lead",
    skills: [{ name: "invoices", source: "profile" }],
    availability: "Available",
    activity: "Available",
    presence_age_ms: 2_000,
  },
  { id: "u-3", name: "Ida Holm", department: "Network" },
];

const MICROSOFT: MicrosoftState = {
  client_id: "6a1e1c0e-8e5e-4a55-9a3c-3f9f7f1d0c11",
  redirect_uris: ["https://tandem.example/auth/entra/callback"],
  connections: [
    {
      id: "0b7d0f7e-2f8e-4d52-8a0e-6f0f1c9f0001",
      name: "Contoso",
      origin: "consent",
      consented_at: 1_768_000_000,
      faults: [{ code: "forbidden", message: "Graph answered 403", remedy: "have the administrator consent again" }],
      permissions: [
        { name: "User.Read.All", kind: "application", why: "who the people are", standing: "granted" },
        { name: "Presence.Read.All", kind: "application", why: "whether they are free", without: "presence is not known", standing: "missing" },
        { name: "Presence.Read.All", kind: "delegated", why: "to be told at once", without: "it is asked for instead", standing: "unknown" },
      ],
      beyond: ["Mail.Read"],
      accounts: { "a-1": "presence@contoso.example" },
      presence: {
        watched: 8,
        known: 7,
        stale: 1,
        age_p50_ms: 900,
        age_p99_ms: 4_200,
        subscriptions: 2,
        polls: 120,
        throttled: 1,
        notifications: 40,
        notifications_distrusted: 0,
      },
    },
  ],
};

/** What a browser is asked for that is to make a passkey. */
export function creationOptions(name: string): object {
  return {
    rp: { id: "localhost", name: "Tandem" },
    user: { id: "cGVyc29u", name, displayName: name },
    challenge: "Y2hhbGxlbmdl",
    pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    excludeCredentials: [],
  };
}
