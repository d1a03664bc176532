/** What went wrong, in the reader's language. */

import type { Problem } from "../api/request.ts";
import type { Words } from "../i18n/words.ts";

/** What the program's code says in words. Of a code that this page does not know the English sentence is shown, and its remedy. */
export function problemText(words: Words, { code, message, remedy, field, retryAfter_s }: Problem): string {
  switch (code) {
    case "too_many_attempts":
      return words.say("problem.too_many_attempts", { time: words.duration((retryAfter_s ?? 1) * 1e6) });
    case "configuration_faulty":
      return words.say("problem.configuration_faulty", { faults: message });
    case "restart_needed":
      return words.say("problem.restart_needed", { keys: field ?? message });
    default: {
      // Why a passkey was not accepted is for whoever reads the log; for its owner it is all the same.
      const known = words.known(`problem.${code}`) ?? (code.startsWith("passkey_") ? words.text("problem.passkey_refused") : undefined);
      return known ?? [message || code, remedy].filter(Boolean).join(": ");
    }
  }
}
