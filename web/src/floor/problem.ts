/** What went wrong, in the reader's language. */

import type { Problem } from "../api/request.ts";
import type { Words } from "../i18n/words.ts";

/** The program's codes for which we have words; of any other its English sentence is shown, and its remedy. */
export function problemText(words: Words, { code, message, remedy, field, retryAfter_s }: Problem): string {
  switch (code) {
    case "not_found":
    case "unreachable":
    case "unauthorized":
    case "overloaded":
    case "engine_silent":
    case "not_yet_written":
    case "journal_unreadable":
    case "reason_too_long":
    case "not_in_wrap_up":
    case "note_too_long":
    case "code_required":
    case "unknown_code":
    case "no_more_time":
    case "not_waiting":
    case "being_served":
    case "same_queue":
    case "not_their_queue":
    case "no_callback":
    case "already_so":
    case "bad_phone":
    case "unknown_line":
    case "bad_time":
    case "too_far_back":
    case "busy":
    case "wrong_credential":
    case "no_role":
    case "not_onboarded":
    case "of_another_tenant":
    case "local_off":
    case "of_configuration":
    case "no_user_name":
    case "taken":
    case "unknown_agent":
    case "forbidden":
    case "expired":
    case "sso_refused":
    case "passkey_refused":
    case "passkey_not_made":
    case "last_administrator":
    case "no_configuration_file":
    case "ending":
      return words.text(`problem.${code}`);
    case "too_many_attempts":
      return words.say("problem.too_many_attempts", { time: words.duration((retryAfter_s ?? 1) * 1e6) });
    case "configuration_faulty":
      return words.say("problem.configuration_faulty", { faults: message });
    case "restart_needed":
      return words.say("problem.restart_needed", { keys: field ?? message });
    default:
      return [message || code, remedy].filter(Boolean).join(": ");
  }
}
