/** What administrators look after, as the program says it: people, keys, webhooks, the trail, and being connected to Microsoft. */

import type { HeldRole } from "./identity.ts";

/** Somebody who may sign in. */
export type Person = {
  id: string;
  name: string;
  user_name?: string;
  entra?: { tenant: string; user: string }[];
  roles: HeldRole[];
  agent?: string;
  enabled: boolean;
  /** Stands in the configuration, which alone changes them. */
  configured: boolean;
  /** Where the person is signed in now. */
  logins: number;
};

export type People = { people: Person[]; next?: string };

/** A link by which somebody sets a password, once. */
export type InvitationLink = { code: string; path: string; until: number };

/** An API key. */
export type Key = {
  id: string;
  name: string;
  scopes: string[];
  created_by: string;
  created: number;
  expires?: number;
  used?: number;
};

export type NewKey = { key: Key; secret: string };

/** An act of the trail. */
export type Act = {
  number: number;
  at: number;
  who: string;
  id?: string;
  act: string;
  object: string;
  outcome: string;
  code?: string;
  detail: Record<string, string>;
};

export type Acts = { acts: Act[]; next?: string };

/** A program that is told what happens. */
export type Webhook = {
  id: string;
  url: string;
  description: string;
  types: string[];
  include_personal: boolean;
  state: "active" | "failing" | "paused" | "disabled";
  since?: number;
  attempts?: number;
  reason?: string;
  cursor: number;
  newest: number;
};

/** One attempt to tell a program something. */
export type Delivery = {
  entry: number;
  number: number;
  attempt: number;
  at: number;
  took_us: number;
  taken: boolean;
  status?: number;
  error?: string;
};

/** What came of telling a program something once. */
export type Sent = { taken: boolean; status?: number; error?: string; took_us: number };

/** With what a person signs in. */
export type Credentials = { password_since?: number; passkeys: Passkey[] };

export type Passkey = { id: string; label: string; created: number; used?: number };

/** Where somebody is signed in. */
export type OpenLogin = { id: string; how: string; label: string; created: number; used: number; expires: number; this: boolean };

/** How the installation works with Microsoft for a tenant. */
export type MicrosoftState = { client_id: string; redirect_uris: string[]; connections: Connection[] };

/** An Entra tenant that is connected. */
export type Connection = {
  id: string;
  name: string;
  /** `configuration` or `consent`. */
  origin: string;
  /** When an administrator consented, in seconds since 1970 UTC. */
  consented_at?: number;
  /** What is wrong, the worst first. */
  faults?: { code: string; message: string; remedy: string }[];
  permissions: PermissionState[];
  /** What was granted and nothing needs. */
  beyond?: string[];
  /** The accounts that watch presence: names by object ids. */
  accounts?: Record<string, string>;
  presence: PresenceHealth;
};

/** A permission of Microsoft Graph. */
export type PermissionState = {
  name: string;
  /** `application` or `delegated`. */
  kind: string;
  why: string;
  /** What is lost without it; missing if nothing works without it. */
  without?: string;
  /** `granted`, `missing`, or `unknown` where it cannot be read. */
  standing: string;
};

/** How well presence is known. */
export type PresenceHealth = {
  watched: number;
  known: number;
  stale: number;
  age_p50_ms: number;
  age_p99_ms: number;
  subscriptions: number;
  subscriptions_refused?: string;
  polls: number;
  throttled: number;
  notifications: number;
  notifications_distrusted: number;
};

/** A link for an administrator, good once. */
export type Link = { url: string; expires_in_s: number };
