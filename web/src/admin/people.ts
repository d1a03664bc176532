/** The people of a tenant, or of the installation: who they are, what they may do, and how they get in. */

import type { InvitationLink, People, Person } from "../api/admin.ts";
import type { HeldRole } from "../api/identity.ts";
import type { Answer } from "../api/request.ts";
import { problemText } from "../floor/problem.ts";
import { roleText } from "../frame/person.ts";
import type { Tools, View } from "../frame/view.ts";
import { h } from "../ui/dom.ts";
import type { Field } from "../ui/form.ts";
import type { Choice } from "../ui/menu.ts";
import { cell, nameCell } from "../ui/table.ts";
import { addButton, chip, List, moreButton, tags } from "./list.ts";

/** What is to be changed about somebody; a link or user name that is taken away is null. */
type PersonPatch = { name?: string; user_name?: string | null; agent?: string | null; roles?: string[] };

export class PeopleView implements View {
  readonly #tools: Tools;
  readonly #list: List<Person>;
  readonly #isInstallation: boolean;
  #agents: { value: string; label: string }[] = [];

  constructor(tools: Tools) {
    const { words, rights } = tools;
    this.#tools = tools;
    this.#isInstallation = tools.base !== "/api/v1";
    this.#list = new List<Person>(words, {
      id: "people",
      title: words.text("people.title"),
      text: words.text(this.#isInstallation ? "people.text.installation" : "people.text"),
      columns: [
        { title: words.text("form.name") },
        { title: words.text("people.roles") },
        { title: words.text("people.agent") },
        { title: words.text("agents.state"), class: "state" },
        { title: words.text("list.act"), class: "act" },
      ],
      key: ({ id }) => id,
      cells: (person) => this.#cells(person),
      empty: words.text("people.empty"),
      act: rights.may("people:write") ? addButton(words.text("people.add"), () => this.#add()) : undefined,
      load: async (cursor) => await this.#load(cursor),
    });
  }

  get node(): HTMLElement {
    return this.#list.node;
  }

  enter(): void {
    void this.#list.reload();
  }

  leave(): void {}

  tick(): void {}

  async #load(cursor: string | undefined): Promise<Answer<{ items: Person[]; next?: string | undefined }>> {
    const { client, base } = this.#tools;
    // Agents come and go with the configuration: whoever begins the list anew sees those of now.
    if (!this.#isInstallation && cursor === undefined) {
      const agents = await client.agentList();
      if (agents.ok) this.#agents = agents.value.agents.map(({ id, name }) => ({ value: id, label: name || id }));
    }
    const answer = await client.ask<People>(`${base}/people${cursor === undefined ? "" : `?cursor=${encodeURIComponent(cursor)}`}`);
    if (!answer.ok) return answer;
    // Pages come in the order of ids; within a page people look for names.
    const items = answer.value.people.toSorted((one, other) => one.name.localeCompare(other.name));
    return { ok: true, value: { items, next: answer.value.next } };
  }

  #cells(person: Person): HTMLTableCellElement[] {
    const { words, rights } = this.#tools;
    const { name, user_name, entra = [], agent, enabled, logins } = person;
    const known = [user_name, entra.length > 0 ? words.text("people.entra") : undefined].filter(Boolean).join(" · ");
    const state = enabled
      ? chip(logins > 0 ? "free" : "offline", logins > 0 ? "available" : "offline", logins > 0 ? words.say("people.logins", { count: logins }) : words.text("people.logins.none"))
      : chip("late", "end", words.text("people.disabled"));
    const button = moreButton(words.say("list.act.label", { name }), (at) => this.#open(person, at));
    return [
      nameCell(h("span", { class: "name" }, name), h("span", { class: "below" }, known)),
      cell("roles", ...this.#roleGroups(person.roles)),
      cell("agent", this.#agents.find(({ value }) => value === agent)?.label ?? agent ?? ""),
      cell("state", state),
      cell("act", rights.may("people:write") ? button : ""),
    ];
  }

  /** The roles, those of one origin together. */
  #roleGroups(held: readonly HeldRole[]): HTMLElement[] {
    const { words } = this.#tools;
    const byOrigin = new Map<string, HeldRole[]>();
    for (const one of held) byOrigin.set(this.#origin(one), [...(byOrigin.get(this.#origin(one)) ?? []), one]);
    return [...byOrigin].map(([from, roles]) => {
      return h("span", { class: "role" }, tags(...roles.map(({ role }) => roleText(words, role))), h("small", { class: "below" }, from));
    });
  }

  #origin({ origin, group }: HeldRole): string {
    const { words } = this.#tools;
    return (
      origin === "entra_group"
        ? words.say("origin.entra_group", { group: group ?? "" })
        : origin === "assigned" || origin === "entra_app_role" || origin === "configuration"
          ? words.text(`origin.${origin}`)
          : origin
    );
  }

  #open(person: Person, button: HTMLElement): void {
    const { words, menu } = this.#tools;
    const { name, enabled, configured, user_name } = person;
    const choices: Choice[] = [];
    if (!configured) {
      choices.push({ label: words.text("people.change"), sign: "wrap_up", act: () => this.#change(person) });
    }
    if (user_name !== undefined) {
      choices.push({ label: words.text("people.invite"), sign: "leave", act: () => this.#invite(person) });
    }
    choices.push({ label: words.text("people.revoke"), sign: "offline", act: () => void this.#revoke(person) });
    if (!configured) {
      const label = words.text(enabled ? "people.disable" : "people.enable");
      choices.push({ label, sign: enabled ? "break" : "available", act: () => void this.#enable(person, !enabled) });
      choices.push({ label: words.text("people.remove"), sign: "end", act: () => this.#remove(person) });
    }
    menu.open(words.say("list.act.label", { name }), choices, button, configured ? words.text("people.configured.note") : "");
  }

  #add(): void {
    const { words, client, base } = this.#tools;
    this.#tools.dialog.open({
      title: words.text("people.add"),
      submit: words.text("people.add.submit"),
      fields: this.#fields(undefined),
      carryOut: async (values) => {
        const { name = "", user_name = "", agent = "" } = values;
        const wish = { name, roles: this.#roles(values), ...(user_name && { user_name }), ...(agent && { agent }) };
        const answer = await client.command<Person>("POST", `${base}/people`, wish);
        return this.#done(answer, words.say("people.added", { name }));
      },
    });
  }

  #change(person: Person): void {
    const { words, client, base } = this.#tools;
    this.#tools.dialog.open({
      title: words.say("people.change.title", { name: person.name }),
      submit: words.text("people.change.submit"),
      fields: this.#fields(person),
      carryOut: async (values) => {
        const { name = person.name } = values;
        const answer = await client.command<Person>("PATCH", `${base}/people/${person.id}`, this.#patch(person, values));
        return this.#done(answer, words.say("people.changed", { name }));
      },
    });
  }

  /** What was changed, and nothing else: somebody else may have changed the rest meanwhile. */
  #patch(person: Person, values: Readonly<Record<string, string>>): PersonPatch {
    const { name = person.name, user_name = "", agent = "" } = values;
    const roles = this.#roles(values);
    const patch: PersonPatch = {};
    if (name !== person.name) patch.name = name;
    if (user_name !== (person.user_name ?? "")) patch.user_name = user_name || null;
    if (agent !== (person.agent ?? "")) patch.agent = agent || null;
    if (roles.toSorted().join() !== assignedRoles(person).toSorted().join()) patch.roles = roles;
    return patch;
  }

  #invite({ id, name }: Person): void {
    const { words, client, base, dialog } = this.#tools;
    dialog.open({
      title: words.say("people.invite.title", { name }),
      text: words.text("people.invite.text"),
      submit: words.text("people.invite.submit"),
      fields: [],
      carryOut: async () => {
        const answer = await client.command<InvitationLink>("POST", `${base}/people/${id}/invitation`);
        if (!answer.ok) return problemText(words, answer.problem);
        const { path, until } = answer.value;
        dialog.open({
          title: words.say("people.invite.title", { name }),
          text: words.say("people.invited", { until: words.moment(until) }),
          submit: words.text("list.noted"),
          fields: [{ kind: "shown", name: "link", label: words.text("list.link"), value: location.origin + path }],
          carryOut: async () => await Promise.resolve(undefined),
        });
        return undefined;
      },
    });
  }

  async #revoke({ id, name }: Person): Promise<void> {
    const { client, words, base } = this.#tools;
    const answer = await client.command<{ ended: number }>("DELETE", `${base}/people/${id}/logins`);
    const wrong = this.#done(answer, words.say("people.revoked", { name }));
    if (wrong !== undefined) this.#tools.refuse(words.say("refused.act", { reason: wrong }));
  }

  async #enable({ id, name }: Person, enabled: boolean): Promise<void> {
    const { client, words, base } = this.#tools;
    const answer = await client.command<Person>("PATCH", `${base}/people/${id}`, { enabled });
    const wrong = this.#done(answer, words.say(enabled ? "people.enabled" : "people.disabled.done", { name }));
    if (wrong !== undefined) this.#tools.refuse(words.say("refused.act", { reason: wrong }));
  }

  #remove({ id, name }: Person): void {
    const { client, words, base } = this.#tools;
    this.#tools.dialog.open({
      title: words.say("people.remove.title", { name }),
      text: words.text("people.remove.text"),
      submit: words.text("people.remove.submit"),
      fields: [],
      carryOut: async () => {
        const answer = await client.command<{ id: string }>("DELETE", `${base}/people/${id}`);
        return this.#done(answer, words.say("people.removed", { name }));
      },
    });
  }

  #fields(person: Person | undefined): Field[] {
    const { words } = this.#tools;
    const given = new Set<string>(person ? assignedRoles(person) : []);
    const roles = this.#isInstallation ? (["operator"] as const) : (["agent", "expert", "supervisor", "administrator"] as const);
    const none = { value: "", label: words.text("people.agent.none") };
    const { agent } = person ?? {};
    // Whoever the person is stays among the choices, even if the list does not have that agent.
    const unlisted = agent !== undefined && !this.#agents.some(({ value }) => value === agent);
    const agents = unlisted ? [...this.#agents, { value: agent, label: agent }] : this.#agents;
    return [
      { kind: "text", name: "name", label: words.text("form.name"), required: true, max: 128, value: person?.name ?? "" },
      {
        kind: "text",
        name: "user_name",
        label: words.text("form.user_name"),
        max: 64,
        value: person?.user_name ?? "",
        hint: words.text("people.user_name.hint"),
      },
      ...roles.map((role): Field => {
        return { kind: "tick", name: `role.${role}`, label: roleText(words, role), value: given.has(role) ? "yes" : "" };
      }),
      ...(this.#isInstallation
        ? []
        : [
            {
              kind: "choice" as const,
              name: "agent",
              label: words.text("people.agent"),
              choices: [none, ...agents],
              value: agent ?? "",
            },
          ]),
    ];
  }

  #roles(values: Readonly<Record<string, string>>): string[] {
    const ticked = Object.keys(values).filter((name) => name.startsWith("role."));
    return ticked.map((name) => name.slice("role.".length));
  }

  /** Says that it was done and shows it, or answers with what went wrong. */
  #done(answer: Answer<unknown>, done: string): string | undefined {
    if (!answer.ok) return problemText(this.#tools.words, answer.problem);
    this.#tools.say(done);
    void this.#list.reload();
    return undefined;
  }
}

/** The roles that were given to somebody in Tandem itself. */
function assignedRoles({ roles }: Person): string[] {
  return roles.filter(({ origin }) => origin === "assigned").map(({ role }) => role);
}
