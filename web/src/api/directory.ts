/** The tenant's users, as the program says them: who they are, what they know, and whether they are free. */

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
  /** What Microsoft Graph says (resource type presence): `Available`, `Busy`, `DoNotDisturb`… Missing if nothing is known. */
  availability?: string;
  /** The same, finer: `InAMeeting`, `InACall`, `Presenting`… */
  activity?: string;
  /** How long ago that was, in milliseconds. */
  presence_age_ms?: number;
};
