import type { Report } from '../answers/report.ts';
import type { Finding } from '../findings/finding.ts';
import type { Coverage } from '../model/coverage.ts';
import type { Window } from '../model/window.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/format-instant.ts';

/** What the report of one answer is made of. */
export interface EnvelopeParts<Command extends string, Data> {
  command: Command;
  source: ConversationSource;
  /** Absent on commands without a window. */
  window?: Window | undefined;
  timeZone: string;
  coverage: Coverage;
  data: Data;
  findings?: Finding[];
}

/** Puts an answer into the report that every command returns. */
export function buildReport<Command extends string, Data>(parts: EnvelopeParts<Command, Data>): Report<Command, Data> {
  const { command, source, window, timeZone, coverage, data, findings = [] } = parts;
  return {
    command,
    window:
      window === undefined
        ? { timeZone }
        : { since: formatInstant(window.sinceUnixNano), until: formatInstant(window.untilUnixNano), timeZone },
    source: { kind: source.kind, location: source.location },
    coverage,
    data,
    findings,
  };
}
