import { THRESHOLD } from '@convotel/conventions';
import { completedMsByStep, slowConversationRow } from '../analytics/conversation-rows.ts';
import { nanosecondsOf } from '../analytics/milliseconds.ts';
import type { SlowConversationRow } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { WindowedOptions } from '../answers/options.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkLimit, checkNumber, checkWindowed } from './check-options.ts';

/** What {@link slow} is asked with. */
export interface SlowOptions extends WindowedOptions {
  /** Lists conversations that last longer than this many milliseconds. @defaultValue `5000` */
  thresholdMs?: number | undefined;
  /** Most rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
  /** A conversation with a total under it satisfies; the findings name it. @defaultValue `7000` */
  targetMs?: number | undefined;
}

/**
 * The conversations that lasted longer than the threshold and are not open, longest first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function slow(
  source: ConversationSource,
  options: SlowOptions,
): Promise<Report<'slow', SlowConversationRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  const { thresholdMs = THRESHOLD.slowMs, targetMs = THRESHOLD.targetMs } = options;
  checkNumber('thresholdMs', thresholdMs, 0);
  checkNumber('targetMs', targetMs, 0);
  checkLimit(limit);

  const { data: conversations, coverage } = await source.ask({
    name: 'conversations',
    window,
    filters,
    order: 'slowest',
    limit,
    aboveNano: nanosecondsOf(thresholdMs),
  });
  const rows = conversations.map(slowConversationRow);
  const findings = findAll(RULES_BY_COMMAND.slow, {
    rows,
    thresholdMs,
    targetMs,
    completedMsByStep: completedMsByStep(conversations),
  });
  return buildReport({ command: 'slow', source, window, timeZone, coverage, data: rows, findings });
}
