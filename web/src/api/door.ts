/** What can be asked for by somebody who is not known yet: how to sign in, and to be let in. */

import { type Answer, json, send } from "./request.ts";
import type { Told } from "./told.ts";

/** What there is to sign in with. */
export type Methods = Told<"Methods">;

/** Somebody of a demo. */
export type OneClickPerson = Told<"OneClickPerson">;

/** Somebody is signed in. */
export type SignedIn = Told<"SignedIn">;

export async function askMethods(): Promise<Answer<Methods>> {
  return await send("/auth/methods", { cache: "no-store" }, json<Methods>);
}

/** Signs in with a name and a password. */
export async function signInByPassword(user_name: string, password: string): Promise<Answer<SignedIn>> {
  return await post("/auth/password", { user_name, password });
}

/** Signs in as one of the people of a demo. */
export async function signInByClick(user_name: string): Promise<Answer<SignedIn>> {
  return await post("/auth/demo", { user_name });
}

/** Lets somebody in for the first time, with a password: by the code of a first start, or by an invitation. */
export async function comeIn(
  kind: "setup" | "invitation",
  wanted: { code: string; user_name?: string; name?: string; password: string },
): Promise<Answer<SignedIn>> {
  return await post(`/auth/${kind}`, wanted);
}

/** The next access token, for the cookie that only the program can read. */
export async function refresh(): Promise<Answer<SignedIn>> {
  return await post("/auth/refresh", undefined);
}

/** Signs in with the token that the Teams client gave. */
export async function signInByTeams(token: string): Promise<Answer<SignedIn>> {
  return await post("/auth/teams", { token });
}

/** Ends the login to which the access token belongs. */
export async function signOut(token: string): Promise<Answer<undefined>> {
  return await send("/auth/sign-out", { method: "POST", headers: { Authorization: `Bearer ${token}` } }, json<undefined>);
}

/** Where a sign-in at Microsoft begins; it comes back to `path`. */
export function entraAddress(path: string): string {
  return `/auth/entra/start?return=${encodeURIComponent(path)}`;
}

async function post<T>(path: string, body: object | undefined): Promise<Answer<T>> {
  if (!body) return await send(path, { method: "POST" }, json<T>);
  const headers = { "Content-Type": "application/json" };
  return await send(path, { method: "POST", headers, body: JSON.stringify(body) }, json<T>);
}
