/** What went wrong, in the reader's language. */

import type { Problem } from "../api/client.ts";
import type { Words } from "../i18n/words.ts";

/** The program's codes for which we have words; of any other its English sentence is shown. */
export function problemText(words: Words, { code, message }: Problem): string {
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
      return words.text(`problem.${code}`);
    default:
      return message || code;
  }
}
