/** What the program says, as its description has it. */

import type { components } from "./schema.ts";

/**
 * A form of the description as it is really told: what is not there is left out, and never `null`, which the description has
 * to permit to those who ask.
 */
export type Told<Name extends keyof Schemas> = Without<Schemas[Name]>;

type Schemas = components["schemas"];

type Without<T> = T extends readonly (infer Item)[]
  ? Without<Item>[]
  : T extends object
    ? { [Member in keyof T]: Without<Exclude<T[Member], null>> }
    : T;
