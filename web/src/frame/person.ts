/** People in words: their names and roles. */

import type { Me } from "../api/identity.ts";
import type { Words } from "../i18n/words.ts";

/** What the one who is signed in is called. */
export function nameOf(words: Words, { kind, name, user_name }: Me): string {
  if (kind === "key") return words.text("person.key");
  if (kind === "console") return words.text("person.console");
  return name ?? user_name ?? "";
}

/** What a role is called; the program's own word for one that this page does not know. */
export function roleText(words: Words, role: string): string {
  switch (role) {
    case "agent":
    case "expert":
    case "supervisor":
    case "administrator":
    case "operator":
      return words.text(`role.${role}`);
    default:
      return role;
  }
}

/** All roles of a person, each once. */
export function rolesText(words: Words, roles: readonly string[]): string {
  return [...new Set(roles)].map((role) => roleText(words, role)).join(", ");
}
