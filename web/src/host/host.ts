/** Being inside of another program: the tab of a Teams client. Everything about it stays behind this file. */

import { type SignedIn, signInByTeams } from "../api/door.ts";
import type { Answer } from "../api/request.ts";

/** What the host tells. */
export type HostTold = {
  /** `default`, `dark`, `contrast` or another that Teams may think of. */
  onTheme(theme: string): void;
  /** The language of the reader, as a language tag. */
  onLocale(locale: string): void;
};

export type Host = {
  /** Signs in as whoever is signed in at the host, without asking them. */
  signIn(): Promise<Answer<SignedIn>>;
  /** Signs in and lets the host ask what it needs to; only after a click. */
  signInAsking(): Promise<Answer<SignedIn>>;
  /** What was to be shown is shown. */
  succeeded(): void;
  /** The reader has to do something first, and is told so by the page. */
  waits(message: string): void;
  /** Nothing can be shown: the host says so in its own way. */
  failed(message: string): void;
};

/** Whether the address says that the page is opened by a host: only then is anything of it loaded. */
export function hostInAddress(): boolean {
  return new URLSearchParams(location.search).get("host") === "teams" && window.parent !== window;
}

/** Joins the host; `undefined` if it does not answer in time, and the page then goes on as in a browser. */
export async function openHost(told: HostTold): Promise<Host | undefined> {
  const { app, authentication } = await import("@microsoft/teams-js");
  const isThere = await inTime(app.initialize());
  if (!isThere) return undefined;
  app.registerOnThemeChangeHandler((theme) => told.onTheme(theme));
  app.notifyAppLoaded();
  const context = await app.getContext();
  told.onTheme(context.app.theme);
  told.onLocale(context.app.locale);
  const signIn = async (silent: boolean, claims?: string): Promise<Answer<SignedIn>> => {
    try {
      const token = await authentication.getAuthToken({ silent, ...(claims !== undefined && { claims: [claims] }) });
      return await signInByTeams(token);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, problem: { code: "sso_refused", message, status: 401 } };
    }
  };
  let claims: string | undefined;
  const remembering = async (silent: boolean): Promise<Answer<SignedIn>> => {
    const answer = await signIn(silent, silent ? undefined : claims);
    claims = answer.ok ? undefined : answer.problem.claims;
    return answer;
  };
  return {
    signIn: async () => await remembering(true),
    signInAsking: async () => await remembering(false),
    succeeded: () => void app.notifySuccess(),
    waits: (message) => app.notifyExpectedFailure({ reason: app.ExpectedFailureReason.PermissionError, message }),
    failed: (message) => app.notifyFailure({ reason: app.FailedReason.Other, message }),
  };
}

async function inTime(work: Promise<unknown>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), HOST_PATIENCE_MS);
  });
  return await Promise.race([work.then(() => true).catch(() => false), late]);
}

/** A host that has not answered by then is none. */
const HOST_PATIENCE_MS = 5_000;
