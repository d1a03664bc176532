/** The tenant's users, as the program says them: who they are, what they know, and whether they are free. */

import type { Told } from "./told.ts";

/** Somebody of the directory. */
export type Found = Told<"FoundPerson">;
