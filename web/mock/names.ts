/** The people and queues of the made-up center. */

import type { QueueDocument } from "../src/api/center.ts";

export const FIRST_NAMES = [
  "Adèle",
  "Bilal",
  "Chloé",
  "Diego",
  "Elif",
  "Farid",
  "Greta",
  "Hugo",
  "Inès",
  "Jonas",
  "Keiko",
  "Liam",
  "Maëlle",
  "Noah",
  "Olga",
  "Priya",
  "Quentin",
  "Rosa",
  "Samir",
  "Tove",
  "Ugo",
  "Vera",
  "Wanda",
  "Yusuf",
  "Zoé",
] as const;

export const LAST_NAMES = [
  "Almeida",
  "Bernard",
  "Castillo",
  "Dubois",
  "Eriksen",
  "Fontaine",
  "Garnier",
  "Haddad",
  "Ivanova",
  "Jansen",
  "Kowalski",
  "Laurent",
  "Moreau",
  "Nakamura",
  "Okafor",
  "Petit",
  "Rossi",
  "Schmidt",
  "Tremblay",
  "Weber",
] as const;

export type Queue = QueueDocument;

export const QUEUES: readonly [Queue, ...Queue[]] = [
  { id: "support", name: "Support", strategy: "most_skilled" },
  { id: "sales", name: "Sales", strategy: "ring_all" },
  { id: "billing", name: "Billing" },
];

/** What agents of the made-up center can be good at. */
export const SKILLS = ["french", "english", "network", "invoices"] as const;

/** What conversations can have been about. */
export const CODES = [
  { id: "question", name: "Question" },
  { id: "complaint", name: "Complaint" },
] as const;
