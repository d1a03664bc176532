/** Plays a message that a caller left. The sound is fetched when it is wanted, with the token that the program demands. */

import type { Client } from "../api/client.ts";
import type { RecordingId } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";
import { h, write } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import { problemText } from "./problem.ts";

export class Player {
  readonly node = h("span", { class: "player", hidden: true });
  readonly #words: Words;
  readonly #client: Client;
  readonly #label = h("span");
  readonly #button = h("button", { type: "button", class: "plain" }, icon("play"), this.#label);
  readonly #wrong = h("span", { class: "wrong", role: "alert" });
  #recording: RecordingId | undefined;

  constructor(words: Words, client: Client) {
    this.#words = words;
    this.#client = client;
    write(this.#label, words.text("message.play"));
    this.#button.addEventListener("click", () => void this.#play());
    this.node.append(this.#button, this.#wrong);
  }

  /** Offers a message, or nothing. */
  show(recording: RecordingId | undefined): void {
    if (recording === this.#recording) return;
    this.#recording = recording;
    this.node.hidden = recording === undefined;
    this.node.replaceChildren(this.#button, this.#wrong);
    write(this.#wrong, "");
  }

  async #play(): Promise<void> {
    const recording = this.#recording;
    if (recording === undefined) return;
    this.#button.disabled = true;
    const answer = await this.#client.recording(recording);
    this.#button.disabled = false;
    if (recording !== this.#recording) return;
    if (!answer.ok) {
      const gone = answer.problem.code === "not_found";
      write(this.#wrong, gone ? this.#words.text("message.gone") : problemText(this.#words, answer.problem));
      return;
    }
    const sound = h("audio", { controls: true, "aria-label": this.#words.text("message.sound") });
    sound.src = URL.createObjectURL(answer.value);
    this.node.replaceChildren(sound, this.#wrong);
    sound.focus();
    // A browser that does not begin by itself shows the controls.
    await sound.play().catch(() => undefined);
  }
}
