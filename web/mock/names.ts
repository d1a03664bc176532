/** The people and queues of the made-up center. */

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

export type Queue = { id: string; name: string };

export const QUEUES: readonly [Queue, ...Queue[]] = [
  { id: "support", name: "Support" },
  { id: "sales", name: "Sales" },
  { id: "billing", name: "Billing" },
];
