/** The tabs of one browser: who tells the others, and who waits for whose turn. */

import type { News } from "./login.ts";

export class Tabs {
  readonly #channel = new BroadcastChannel(NAME);

  /** Calls back whenever another tab tells something. */
  listen(hear: (news: News) => void): void {
    this.#channel.addEventListener("message", ({ data }) => hear(data as News));
  }

  tell(news: News): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none: it never leaves the origin
    this.#channel.postMessage(news);
  }

  /** Runs an act while no other tab runs one. */
  async alone<T>(act: () => Promise<T>): Promise<T> {
    // Browsers have locks only on pages that came over TLS or from this machine; elsewhere the program forgives two at once.
    if (!("locks" in navigator)) return await act();
    return await navigator.locks.request(NAME, async () => await act());
  }
}

/** Under this name the tabs of one program meet. */
const NAME = "tandem.login";
