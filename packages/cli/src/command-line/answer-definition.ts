import type { ConversationFilters, ConversationSource, Report, Window } from '@convotel/query';
import type { ExitStatus } from '../exit-status.ts';
import type { TextContext } from '../text/text-context.ts';
import type { CommandDefinition, OptionDefinition, OptionTexts } from './command-definition.ts';

/** The call of a command that asks once, with its shared options understood. */
export interface AnswerRequest {
  /** The positional argument; empty where the command takes none. */
  argument: string;
  texts: OptionTexts;
  timeZone: string;
  /** Absent where the command has no window by default and none was asked for. */
  window?: Window;
  filters: ConversationFilters;
  nowUnixNano: bigint;
}

/** A command that asks once and prints the answer. */
export interface AnswerDefinition<Command extends string, Data, Options> {
  name: Command;
  summary: string;
  examples: CommandDefinition['examples'];
  argument?: { name: string; description: string };
  /** Where the window begins unless told: a duration; `everything` for no window; absent on commands without one. */
  defaultSince?: string;
  /** Options of its own, besides the shared ones. */
  options?: readonly OptionDefinition[];
  /** Whether conversations can be chosen by service, workflow, session and outcome; commands about one cannot. */
  hasFilters: boolean;
  /** Understands the words of the call. Throws `UsageError`, before anything is opened. */
  understand(request: AnswerRequest): Options | Promise<Options>;
  ask(source: ConversationSource, options: Options): Promise<Report<Command, Data>>;
  text(report: Report<Command, Data>, context: TextContext): Promise<string>;
  /** What the heading names besides the window. */
  context?(texts: OptionTexts): Pick<TextContext, 'limit' | 'thresholdMs'>;
  /** The exit status of a given answer. @defaultValue always 0 */
  exitStatus?(report: Report<Command, Data>, texts: OptionTexts): ExitStatus;
}
