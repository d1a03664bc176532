/** A request to the program, and what came of it. */

import type { components } from "./schema.ts";

type ErrorBody = components["schemas"]["ErrorBody"];

/**
 * What went wrong: a stable word, a sentence in English, and what to do about it. `unreachable` is our own word for no
 * answer at all, and `other` for one that is not the program's. `status` is that of HTTP; 0 without an answer.
 */
export type Problem = Pick<ErrorBody, "code" | "message"> & {
  status: number;
  remedy?: string;
  /** What is wrong of what was asked. */
  field?: string;
  /** When it makes sense to ask again, in seconds. */
  retryAfter_s?: number;
  /** What a sign-in at Microsoft must still bring. */
  claims?: string;
};

export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

/** Sends a request, and reads the answer if it is a good one. */
export async function send<T>(
  path: string,
  request: RequestInit,
  read: (response: Response) => Promise<T>,
): Promise<Answer<T>> {
  try {
    const response = await fetch(path, { ...request, signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.ok) return { ok: true, value: await read(response) };
    const body: unknown = await response.json().catch(() => undefined);
    return { ok: false, problem: problemIn(body, response) };
  } catch {
    return { ok: false, problem: { code: "unreachable", message: "", status: 0 } };
  }
}

/** The body of an answer; nothing if the answer has none. */
export async function json<T>(response: Response): Promise<T> {
  return (response.status === 204 ? undefined : await response.json()) as T;
}

function problemIn(body: unknown, { status, headers }: Response): Problem {
  const known = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const retryAfter = Number(headers.get("Retry-After") ?? Number.NaN);
  return {
    status,
    code: String(known["code"] ?? "other"),
    message: String(known["message"] ?? `HTTP ${status}`),
    ...(typeof known["remedy"] === "string" && { remedy: known["remedy"] }),
    ...(typeof known["field"] === "string" && { field: known["field"] }),
    ...claimsIn(headers.get("WWW-Authenticate")),
    ...(retryAfter > 0 && { retryAfter_s: retryAfter }),
  };
}

/** What a sign-in at Microsoft must still bring stands in the challenge, in base64. */
function claimsIn(challenge: string | null): { claims?: string } {
  const encoded = /\bclaims="([A-Za-z0-9+/=]+)"/.exec(challenge ?? "")?.[1];
  return encoded === undefined ? {} : { claims: atob(encoded) };
}

/** A request without an answer by then has failed; the program itself gives up after ten seconds. */
const PATIENCE_MS = 12_000;
