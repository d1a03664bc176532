/**
 * Being signed in: the access token, which is in memory only, and the next one before it expires.
 *
 * What buys the next token is a cookie that no script can read, and that is good once; where several tabs are open, one
 * asks at a time and tells the others what it got. Inside of Teams there is no cookie: there the Teams client gives anew
 * what is exchanged for a token.
 */

import type { SignedIn } from "../api/door.ts";
import type { Answer } from "../api/request.ts";

/** Why nobody is signed in any more. */
export type Ending = "signed_out" | "expired" | "refused";

/** What a login needs of the world; handed in, so that a test can be the world. */
export type LoginWorld = {
  /** Asks for the next access token. */
  renew(): Promise<Answer<SignedIn>>;
  /** Runs an act while no other tab runs one. */
  alone<T>(act: () => Promise<T>): Promise<T>;
  /** Tells the other tabs. */
  tell(news: News): void;
  /** Does something later; the answer cancels it. */
  after(ms: number, act: () => void): () => void;
};

/** What tabs tell each other. */
export type News = { kind: "in"; signedIn: SignedIn } | { kind: "out" };

/** What the one who is signed in is told. */
export type LoginTold = {
  /** There is another token, of the same person. */
  onToken(token: string): void;
  /** Somebody is signed in, or somebody else. */
  onPerson(): void;
  onEnd(why: Ending): void;
};

export class Login {
  readonly #world: LoginWorld;
  readonly #told: LoginTold;
  #token = "";
  #person: string | undefined;
  /** Whether the token is the key of a program, which nothing renews. */
  #isKey = false;
  #renewing: Promise<boolean> | undefined;
  #cancel: (() => void) | undefined;

  constructor(world: LoginWorld, told: LoginTold) {
    this.#world = world;
    this.#told = told;
  }

  /** Goes with every request; empty if nobody is signed in. */
  get token(): string {
    return this.#token;
  }

  get isKey(): boolean {
    return this.#isKey;
  }

  /** Somebody has signed in here. */
  begin(signedIn: SignedIn): void {
    this.#take(signedIn);
    this.#world.tell({ kind: "in", signedIn });
    this.#told.onPerson();
  }

  /** Somebody uses the key of a program instead of signing in. */
  beginWithKey(key: string): void {
    this.#forget();
    this.#token = key;
    this.#isKey = true;
    this.#told.onPerson();
  }

  /** Somebody has signed out here. */
  end(why: Ending): void {
    this.#forget();
    if (why === "signed_out") this.#world.tell({ kind: "out" });
    this.#told.onEnd(why);
  }

  /** Another tab tells something. */
  hear(news: News): void {
    if (this.#isKey) return;
    if (news.kind === "out") {
      if (this.#token) this.end("expired");
      return;
    }
    const before = this.#person;
    this.#take(news.signedIn);
    if (before === news.signedIn.person) this.#told.onToken(this.#token);
    else this.#told.onPerson();
  }

  /**
   * Asks for another token than this one, which is no longer good or soon will not be; true if there is another. When
   * the program says that there is no login any more, that is its end.
   */
  async renewed(than: string): Promise<boolean> {
    if (this.#token !== than) return this.#token !== "";
    if (this.#isKey) {
      this.end("refused");
      return false;
    }
    this.#renewing ??= this.#renew(than).finally(() => (this.#renewing = undefined));
    return await this.#renewing;
  }

  /** Looks whether somebody is signed in already; true if so. */
  async resume(): Promise<boolean> {
    const answer = await this.#world.alone(async () => {
      return this.#token ? undefined : await this.#world.renew();
    });
    if (answer?.ok) this.#take(answer.value);
    return this.#token !== "";
  }

  async #renew(than: string): Promise<boolean> {
    const answer = await this.#world.alone(async () => {
      // While we waited for our turn another tab may have told us its token.
      return this.#token === than ? await this.#world.renew() : undefined;
    });
    if (!answer) return this.#token !== "";
    if (answer.ok) {
      const before = this.#person;
      this.#take(answer.value);
      this.#world.tell({ kind: "in", signedIn: answer.value });
      if (before === this.#person) this.#told.onToken(this.#token);
      else this.#told.onPerson();
      return true;
    }
    if (answer.problem.status === 401 || answer.problem.status === 403) this.end("expired");
    else this.#later(RENEW_AGAIN_MS);
    return false;
  }

  #take({ access_token, expires_in_s, person }: SignedIn): void {
    this.#token = access_token;
    this.#person = person;
    this.#isKey = false;
    this.#later(Math.max(RENEW_MIN_MS, expires_in_s * 1000 * RENEW_AT));
  }

  #later(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#world.after(ms, () => void this.renewed(this.#token));
  }

  #forget(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#token = "";
    this.#person = undefined;
    this.#isKey = false;
  }
}

/** The next token is asked for when this share of the time has passed. */
const RENEW_AT = 0.8;

/** It is never asked for sooner than this. */
const RENEW_MIN_MS = 5_000;

/** When the program did not answer it is asked again after so long. */
const RENEW_AGAIN_MS = 10_000;
