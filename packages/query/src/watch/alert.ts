import type { Evidence, Severity } from '../findings/finding.ts';
import type { Window } from '../model/window.ts';
import type { ConversationSource } from '../questions.ts';

/** Something that whoever watches wants to know now. */
export interface Alert {
  /** Stable name of the rule, such as `high-error-rate`. */
  rule: string;
  severity: Severity;
  text: string;
  /** The numbers that the text rests on; `step` where the alert is about one. */
  evidence: Evidence;
  /** End of the window that was looked at: RFC 3339 in UTC with 6 decimals. */
  time: string;
}

/** Looks at the latest window, round after round. */
export interface AlertRule {
  readonly name: string;
  /**
   * What is wrong in `window`; an empty list when nothing is. At most one alert for each `evidence.step`, by which a
   * lasting condition is recognised in the next round.
   *
   * A `SourceError` means that the back end does not answer: the watch goes on. Any other error ends it.
   */
  check(source: ConversationSource, window: Window): Promise<Alert[]>;
}
