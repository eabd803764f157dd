/** One command of a transcript, and what it shall print. */
export interface TranscriptCommand {
  /** The heading it stands under, such as `step 5`. */
  step: string;
  /** Name of the plans whose spans it reads. */
  plans: string;
  /** The present, RFC 3339. */
  now: string;
  /** The words behind `convotel`. */
  words: string[];
  /** Without blanks at line ends; `...` stands for any lines. */
  lines: string[];
}

const HEADING = /^### (?<step>.+) \| spans: (?<plans>.+) \| now: (?<now>.+)$/;
const PROMPT = '$ convotel ';

/** Reads a transcript: headings (`### step | spans: … | now: …`), commands (`$ convotel …`) and expected lines. */
export function readTranscript(text: string): TranscriptCommand[] {
  const commands: TranscriptCommand[] = [];
  let heading: { step: string; plans: string; now: string } | undefined;
  for (const line of text.split('\n')) {
    const groups = HEADING.exec(line)?.groups;
    if (groups !== undefined) {
      heading = { step: groups['step']!, plans: groups['plans']!, now: groups['now']! };
    } else if (line.startsWith(PROMPT)) {
      if (heading === undefined) throw new SyntaxError(`no heading above "${line}"`);
      commands.push({ ...heading, words: line.slice(PROMPT.length).split(' '), lines: [] });
    } else {
      commands.at(-1)?.lines.push(line.trimEnd());
    }
  }
  return commands.map((command) => ({ ...command, lines: withoutOuterBlanks(command.lines) }));
}

/** The lines of what a command printed, without blanks at line ends and empty lines at both ends. */
export function printedLines(output: string): string[] {
  return withoutOuterBlanks(output.split('\n').map((line) => line.trimEnd()));
}

/**
 * `printed` as far as `expected` speaks of it: the lines in place of which `expected` has `...` are left out, the
 * marker stands for them.
 */
export function foldSkippedLines(printed: readonly string[], expected: readonly string[]): string[] {
  const marker = expected.indexOf('...');
  if (marker === -1) return [...printed];
  const after = expected.length - marker - 1;
  if (printed.length < marker + after) return [...printed];
  return [...printed.slice(0, marker), '...', ...printed.slice(printed.length - after)];
}

function withoutOuterBlanks(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => line !== '');
  const last = lines.findLastIndex((line) => line !== '');
  return first === -1 ? [] : lines.slice(first, last + 1);
}
