/** What stands between the header and the end of the page: one view at a time. */

import type { Client } from "../api/client.ts";
import type { Me } from "../api/identity.ts";
import type { Timestamp } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";
import type { Rights } from "../login/rights.ts";
import type { FormDialog } from "../ui/form.ts";
import type { Menu } from "../ui/menu.ts";

/** One view of somebody who is signed in. */
export type View = {
  readonly node: HTMLElement;
  /** The reader has come to it. */
  enter(): void;
  /** The reader has gone elsewhere. */
  leave(): void;
  /** A second has passed. */
  tick(now: Timestamp): void;
};

/** What all views work with. */
export type Tools = {
  words: Words;
  client: Client;
  me: Me;
  rights: Rights;
  /** Where requests about the tenant's people, keys and trail begin: of a tenant, or of the installation. */
  base: "/api/v1" | "/api/v1/installation";
  menu: Menu;
  dialog: FormDialog;
  /** Goes to another view. */
  go(path: string): void;
  /** Whether the reader has the view at this address. */
  has(path: string): boolean;
  /** Says that something was done. */
  say(text: string): void;
  /** Tells that something that was asked for without a form was refused. */
  refuse(text: string): void;
};
