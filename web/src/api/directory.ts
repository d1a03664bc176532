/** The tenant's users, as the program says them: who they are, what they know, and whether they are free. */

import type { Presence } from "./center.ts";

/** Somebody of the directory. */
export type Found = {
  id: string;
  name: string;
  department?: string;
  job_title?: string;
  office?: string;
  mail?: string;
  phone?: string;
  skills?: { name: string; level?: number }[];
  presence?: Seen;
};

/** What is known of somebody's presence. */
export type Seen = { source?: string; presence: Presence; observed_at?: number; age_us?: number; confidence?: string };

/** Somebody who may know more about a call, and why. */
export type Suggested = { person: Found; reasons: string[] };
