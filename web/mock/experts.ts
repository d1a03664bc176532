/** Whom the made-up center suggests to ask about a call. */

import type { components } from "../src/api/schema.ts";
import type { MockCenter } from "./center.ts";

type Experts = components["schemas"]["Experts"];

/** Two agents and somebody else of the organisation; nobody about a call of which nothing is known. */
export function expertsOf({ agents, view }: MockCenter, id: number): Experts | undefined {
  const story = view.stories[id] ?? view.recent.find(({ interaction }) => interaction === id)?.story;
  if (!story) return undefined;
  if (!story.some(({ kind }) => kind === "queue_entered")) return { experts: [] };
  const [first, second] = agents;
  const last_ms = view.at / 1_000 - 86_400_000;
  return {
    experts: [
      {
        agent: first?.id ?? null,
        name: first?.name ?? "",
        reasons: [
          { kind: "solved_before", common: "queue", id: "support", name: "Support", times: 3, last_ms },
          { kind: "skill", skill: "network", level: 4 },
        ],
        standing: "free",
        presence: "available",
        presence_age_ms: 12_000,
      },
      {
        agent: second?.id ?? null,
        name: second?.name ?? "",
        reasons: [{ kind: "solved_before", common: "code", id: "fault", name: "A fault", times: 1, last_ms }],
        standing: "soon_free",
        free_in_ms: 20_000,
      },
      {
        id: "8f0c2d1e-1111-4222-8333-944455566677",
        name: "Zoë Fournier",
        department: "Research",
        job_title: "Network architect",
        phone: "+33 1 55 01 02 03",
        reasons: [{ kind: "skill", skill: "network" }, { kind: "same_department", department: "Research" }],
        standing: "do_not_disturb",
        presence: "presenting",
        presence_age_ms: 64_000,
      },
    ],
  };
}
