/** The live web socket, `/live`, and its messages. */

import type { Fact, Timestamp, View } from "./center.ts";

/** The state at a number, as the first message; then every fact after it, in order. */
export type LiveMessage =
  | { type: "state"; number: number; now: Timestamp; state: View }
  | { type: "facts"; facts: Fact[] };

/** The code with which the program closes a socket whose token is missing or no longer good. */
export const UNAUTHORIZED = 4401;

/** The code with which the program closes a socket of somebody who may not follow. */
export const FORBIDDEN = 4403;

/** The first thing that the page says, and later whenever it has another token. */
export function greeting(token: string, tenant: string | undefined): string {
  return JSON.stringify(tenant === undefined ? { token } : { token, tenant });
}

/** Reads a message; `undefined` if it is none that this page knows. */
export function readMessage(data: unknown): LiveMessage | undefined {
  if (typeof data !== "string") return undefined;
  const message: unknown = parse(data);
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  const isKnown = message.type === "state" ? "state" in message : message.type === "facts" && "facts" in message;
  return isKnown ? (message as LiveMessage) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
