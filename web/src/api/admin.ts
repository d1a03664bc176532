/** What administrators look after, as the program says it: people, keys, webhooks, the trail, and being connected to Microsoft. */

import type { Told } from "./told.ts";

/** Somebody who may sign in. */
export type Person = Told<"PersonView">;

export type People = Told<"People">;

/** A link by which somebody makes a passkey or sets a password, once. */
export type InvitationLink = Told<"InvitationLink">;

/** An API key. */
export type Key = Told<"Key">;

export type NewKey = Told<"NewKey">;

/** An act of the trail. */
export type Act = Told<"Act">;

export type Acts = Told<"Acts">;

/** A program that is told what happens. */
export type Webhook = Told<"Webhook">;

/** One attempt to tell a program something. */
export type Delivery = Told<"Delivery">;

/** What came of telling a program something once. */
export type Sent = Told<"Sent">;

/** With what a person signs in. */
export type Credentials = Told<"Credentials">;

export type Passkey = Told<"Passkey">;

/** Where somebody is signed in. */
export type OpenLogin = Told<"Login">;

/** How the installation works with Microsoft for a tenant. */
export type MicrosoftState = Told<"MicrosoftState">;

/** An Entra tenant that is connected. */
export type Connection = Told<"EntraConnection">;

/** A permission of Microsoft Graph. */
export type PermissionState = Told<"PermissionState">;

/** How well presence is known. */
export type PresenceHealth = Told<"PresenceHealth">;

/** A link for an administrator, good once. */
export type Link = Told<"Link">;
/** What of the configuration came into force. */
export type InForce = Told<"InForce">;
