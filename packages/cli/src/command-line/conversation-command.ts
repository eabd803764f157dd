import type { ConversationFilters, ConversationSource, Coverage, Report } from '@convotel/query';
import { withStepTargets } from '../settings/read-settings.ts';
import type { TimedStep } from '../settings/read-settings.ts';
import type { TextContext } from '../text/page.ts';
import { answerCommand } from './answer-command.ts';
import type { Command, Example, OptionDefinitions } from './command.ts';
import { FILTER_OPTIONS, filtersOf, TARGET_OPTION } from './shared-options.ts';
import { UsageError } from '../terminal.ts';

/** The input of a command about one conversation. */
export interface ConversationCall {
  conversationId: string;
  timeZone: string;
  targetMs: number;
}

/** A report on one conversation, with its steps. */
type ConversationReport = Report<string, { steps: readonly TimedStep[] }>;

/** A command about one conversation. */
export interface ConversationDefinition<Answered extends ConversationReport> {
  examples: readonly Example[];
  /** Additional options. */
  options: OptionDefinitions;
  /** Maximum number of findings that it prints, including those about targets in `convotel.json`. */
  maxFindings?: number;
  ask(source: ConversationSource, asked: ConversationCall): Promise<Answered>;
  text(report: Answered, context: TextContext): string;
}

/** The word that stands for the newest conversation. */
const LATEST = 'latest';

/** Number of newest conversations that are searched for a prefix. */
const SEARCHED_CONVERSATIONS = 1000;

/** Shorter prefixes match too many ids. */
const MIN_PREFIX_LENGTH = 4;

/** A complete generated id or trace id, which cannot be a prefix. */
const WHOLE_ID = /^(?:\d{8}_\d{6}_[\da-f]{8}|[\da-f]{32})$/;

/** Maximum number of ids that are listed if a prefix is ambiguous. */
const MAX_NAMED_IDS = 5;

/** Creates a command from a question about one conversation and a function that prints the answer. */
export function conversationCommand<Answered extends ConversationReport>(
  definition: ConversationDefinition<Answered>,
): Command {
  return answerCommand({
    ...definition,
    argument: {
      name: 'id',
      choices: [LATEST],
      description: `conversation id or trace id, the beginning of one, or \`${LATEST}\` for the newest that matches the filters`,
    },
    options: { ...definition.options, ...TARGET_OPTION, ...FILTER_OPTIONS },
    prepare: ({ argument, timeZone, options, settings }) => {
      const filters = filtersOf(options);
      const written = Object.keys(filters).filter((name) => name !== 'service' || filters.service !== settings.service);
      if (argument !== LATEST && written.length > 0) {
        throw new UsageError(`--${written[0]} goes with ${LATEST}; an id needs no filter.`);
      }
      return { conversationId: argument, timeZone, targetMs: options.target, filters, settings };
    },
    ask: async (source, { filters, settings, ...asked }) => {
      const ask = async (conversationId: string): Promise<Answered> => {
        const report = await definition.ask(source, { ...asked, conversationId });
        const judged = await withStepTargets(report, report.data.steps, settings);
        return { ...judged, findings: judged.findings.slice(0, definition.maxFindings) };
      };
      if (asked.conversationId === LATEST) return ask(await findLatest(source, asked.timeZone, filters));
      try {
        return await ask(asked.conversationId);
      } catch (error) {
        const { QueryError } = await import('@convotel/query');
        if (!(error instanceof QueryError && error.code === 'NO_SUCH_CONVERSATION')) throw error;
        const conversationId = await findByPrefix(source, asked);
        if (conversationId === undefined) throw error;
        return ask(conversationId);
      }
    },
  });
}

async function findLatest(source: ConversationSource, timeZone: string, filters: ConversationFilters): Promise<string> {
  const { QueryError, recent } = await import('@convotel/query');
  const { data, coverage } = await recent(source, { timeZone, filters, limit: 1 });
  if (data[0] !== undefined) return data[0].conversationId;
  const chosen = Object.keys(filters).length === 0 ? '' : ' that matches the filters';
  throw new QueryError(
    'NO_SUCH_CONVERSATION',
    [`There is no conversation${chosen} in ${source.location} yet.`, ...reasonsIn(coverage)].join(' '),
  );
}

/** Why there may be no conversation: spans that are none of one, lines that cannot be read, a search that ended early. */
export function reasonsIn({ warnings }: Coverage): string[] {
  return warnings.map(({ text }) => text);
}

/**
 * Finds the conversation whose id or trace id starts with the given prefix.
 * @throws {@link UsageError} with some of their ids if there are several.
 */
async function findByPrefix(
  source: ConversationSource,
  { conversationId: prefix, timeZone }: ConversationCall,
): Promise<string | undefined> {
  if (prefix.length < MIN_PREFIX_LENGTH || WHOLE_ID.test(prefix)) return undefined;
  const { recent } = await import('@convotel/query');
  const { data } = await recent(source, { timeZone, limit: SEARCHED_CONVERSATIONS });
  const found = data.filter((row) => row.conversationId.startsWith(prefix) || row.traceId.startsWith(prefix));
  if (found.length <= 1) return found[0]?.conversationId;
  const named = found.slice(0, MAX_NAMED_IDS).map((row) => row.conversationId);
  const more = found.length > named.length ? ` and ${found.length - named.length} more` : '';
  throw new UsageError(
    `${found.length} conversations have an id that begins with "${prefix}": ${named.join(', ')}${more}. Give more characters of it.`,
  );
}
