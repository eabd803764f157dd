import type { ConversationSource, ServeHealth } from '@convotel/query';
import { openSource } from '../sources/open-source.ts';
import type { SourceTexts } from '../sources/open-source.ts';
import type { Terminal } from '../terminal.ts';
import { check, countOf } from './check.ts';
import type { Check } from './check.ts';
import type { ReadSource } from './programs.ts';

const HOUR_NS = 3_600_000_000_000n;
const DAY_NS = 24n * HOUR_NS;
/** A larger clock difference is reported. */
const CLOCK_TOLERANCE_NS = 60_000_000_000n;

/** Opens the source that commands read from, and checks whether it answers and what it contains. */
export async function checkSource(
  texts: SourceTexts,
  terminal: Terminal,
): Promise<{ source: ReadSource | undefined; kind?: ConversationSource['kind']; checks: Check[] }> {
  const notices: string[] = [];
  let source: ConversationSource;
  try {
    source = await openSource(texts, terminal.environment, {
      onNotice: (notice) => void notices.push(notice),
    });
  } catch (error) {
    return { source: undefined, checks: [check('source', 'problem', sentence((error as Error).message))] };
  }
  const { kind, location } = source;
  const checks = [check('source', 'good', `${kindText(kind, location)}.`, { evidence: { kind, location } })];
  for (const notice of notices) {
    checks.push(
      check('source', 'warning', sentence(notice), {
        advice:
          '`convotel clickhouse ddl` prints the faster table, docs/clickhouse.md says how to use it; answers are right without it.',
      }),
    );
  }
  let instanceId: string | undefined;
  try {
    const { ServeSource } = await import('@convotel/query');
    if (source instanceof ServeSource) {
      const health = await source.health();
      instanceId = health.instanceId;
      checks.push(...checksOfServe(health));
    } else if (kind === 'local') {
      const { damagedFilesOf } = await import('@convotel/local');
      checks.push(...damageChecks(damagedFilesOf(location)));
    }
    checks.push(...(await checksOfSpans(source, terminal.nowUnixNano())));
  } catch (error) {
    checks.push(check('source', 'problem', sentence((error as Error).message)));
  } finally {
    await source.close();
  }
  return { source: { kind, location, instanceId }, kind, checks };
}

function kindText(kind: ConversationSource['kind'], location: string): string {
  switch (kind) {
    case 'file':
      return `Commands read ${location}, a file of OTLP/JSON`;
    case 'local':
      return `Commands read ${location}, the embedded back end's store, which no \`convotel serve\` has open at the moment`;
    case 'serve':
      return `Commands read the \`convotel serve\` at ${location}, which answers`;
    case 'jaeger':
      return `Commands read the Jaeger at ${location}, which answers`;
    case 'clickhouse':
      return `Commands read the ClickHouse at ${location}, which answers`;
    case 'memory':
      return `Commands read spans in memory`;
  }
}

/** Counts in `/healthz` of what was received but not stored: what is counted, why, and what to do. */
const NOT_KEPT: readonly (readonly [name: string, noun: string, why: string, advice: string])[] = [
  [
    'tooOldSpans',
    'span',
    'had ended before the oldest time that is kept',
    "Increase --max-age, or correct the sender's clock.",
  ],
  ['futureSpans', 'span', 'ended in the future', "Correct the sender's clock."],
  [
    'foreignBodies',
    'request',
    'contained JSON that is not OTLP',
    'Check what sends to /v1/traces: it must be OTLP/HTTP, with "resourceSpans" at the top level.',
  ],
  [
    'refusedSpans',
    'span',
    'could not be written and were answered with an error',
    'Senders retry; the standard error of `convotel serve` says why they could not be written.',
  ],
];

function checksOfServe({ status, problem, storePath, damagedFiles = [], counts }: ServeHealth): Check[] {
  if (status === 'unwritable') {
    const text = `It cannot store spans at the moment${problem === undefined ? '' : `: ${problem}`}.`;
    const advice = 'Free some disk space, or restore its file; it then continues automatically.';
    return [check('store', 'problem', text, { advice, evidence: { status, ...counts } })];
  }
  if (storePath === undefined) {
    const text = 'It requires a token, so its counts cannot be read.';
    return [check('store', 'warning', text, { advice: 'Set CONVOTEL_TOKEN to a token that may read.' })];
  }
  const { usedBytes = 0, maxBytes = 0, maxAgeDays, receivedSpans = 0, storedSpans = 0 } = counts;
  const ages = maxAgeDays === undefined ? 'however old they are' : `for ${countOf(maxAgeDays, 'day')}`;
  const checks = [
    check(
      'store',
      'good',
      `It keeps conversations ${ages}, in at most ${sizeText(maxBytes)} at ${storePath}` +
        `${usedBytes === 0 ? '' : `, of which ${sizeText(usedBytes)} are in use`}. ` +
        `Since it started it has received ${countOf(receivedSpans, 'span')} and stored ${storedSpans.toLocaleString('en-US')}${storedSpans < receivedSpans ? '; the others were copies' : ''}.`,
      { evidence: { status, ...counts } },
    ),
  ];
  if (status === 'damaged' && damagedFiles.length === 0) {
    const advice = 'Restore a backup if you need what is missing (docs/operations.md).';
    checks.push(check('store', 'problem', 'A part of its store cannot be read.', { advice }));
  }
  for (const [name, noun, why, advice] of NOT_KEPT) {
    const count = counts[name] ?? 0;
    if (count === 0) continue;
    const text = `It did not keep ${countOf(count, noun)} since it started, which ${why}.`;
    checks.push(check('store', 'warning', text, { advice, evidence: { [name]: count } }));
  }
  const discarded = (counts['metricsDiscarded'] ?? 0) + (counts['logsDiscarded'] ?? 0);
  if (discarded > 0) {
    const text = `It discarded ${countOf(discarded, 'request')} with metrics or logs: it keeps spans only.`;
    checks.push(
      check('store', 'info', text, { advice: 'Send those to a collector if you want them (docs/stack.md).' }),
    );
  }
  const bySize = counts['conversationsDeletedBySize'] ?? 0;
  if (bySize > 0) {
    const text = `It deleted ${countOf(bySize, 'conversation')} since it started, the oldest, to stay below its size.`;
    const advice = 'Let it take more with --max-size if you need them longer.';
    checks.push(check('store', 'info', text, { advice, evidence: { conversationsDeletedBySize: bySize } }));
  }
  return [...checks, ...damageChecks(damagedFiles)];
}

function damageChecks(files: readonly string[]): Check[] {
  return files.map((file) =>
    check('store', 'warning', `${file} was found damaged and put aside.`, {
      advice: 'Restore a backup if you need what is missing, else delete it (docs/operations.md).',
      evidence: { file },
    }),
  );
}

async function checksOfSpans(source: ConversationSource, nowUnixNano: bigint): Promise<Check[]> {
  const newest = await source.ask({ name: 'conversations', order: 'newest', limit: 1 });
  const window = { sinceUnixNano: nowUnixNano - DAY_NS, untilUnixNano: nowUnixNano };
  const { coverage } = await source.ask({ name: 'step-statistics', window, timings: false });
  const day = { spansOfTheLastDay: coverage.spans, conversationsOfTheLastDay: coverage.conversations };
  const warnings = new Map([...newest.coverage.warnings, ...coverage.warnings].map((each) => [each.code, each]));
  const told = [...warnings.values()].map(({ code, text }) =>
    check('spans', 'warning', sentence(text), { evidence: { code } }),
  );
  const [conversation] = newest.data;
  if (conversation === undefined) {
    return [
      check('spans', 'warning', 'There is no conversation in it yet.', {
        advice:
          'Wrap a pipeline as the README shows, or run `convotel demo`; until the first one ends, nothing can be answered.',
        evidence: day,
      }),
      ...told,
    ];
  }
  const { conversationId, startTimeUnixNano } = conversation;
  const ageNs = nowUnixNano - startTimeUnixNano;
  const evidence = { ...day, conversationId, ageMs: Number(ageNs / 1_000_000n) };
  const lastDay = `${countOf(coverage.spans, 'span')} of ${countOf(coverage.conversations, 'conversation')} in the last 24 hours`;
  if (ageNs < -CLOCK_TOLERANCE_NS) {
    const text = `The newest conversation, ${conversationId}, begins ${ageText(-ageNs)} from now; ${lastDay}.`;
    const advice = 'Correct the clock of this machine, or of the sender.';
    return [check('spans', 'warning', text, { advice, evidence }), ...told];
  }
  const text = `Spans arrive: the newest conversation, ${conversationId}, began ${ageText(ageNs)} ago; ${lastDay}.`;
  if (ageNs <= DAY_NS) return [check('spans', 'good', text, { evidence }), ...told];
  return [
    check('spans', 'warning', text.replace('Spans arrive: the', 'Nothing arrives at the moment: the'), {
      advice: 'If programs are running, the checks below show where they send and whether their spans are accepted.',
      evidence,
    }),
    ...told,
  ];
}

function ageText(nano: bigint): string {
  const units: [bigint, string][] = [
    [DAY_NS, 'day'],
    [HOUR_NS, 'hour'],
    [60_000_000_000n, 'minute'],
    [1_000_000_000n, 'second'],
  ];
  const [length, noun] = units.find(([each]) => nano >= each) ?? units.at(-1)!;
  return countOf(Number(nano < 0n ? 0n : nano / length), noun);
}

function sizeText(bytes: number): string {
  const gib = 1024 ** 3;
  return bytes >= gib
    ? `${Math.round((bytes / gib) * 10) / 10} GiB`
    : `${Math.round((bytes / 1024 ** 2) * 10) / 10} MiB`;
}

/** Capitalises the first letter, and adds a full stop. */
function sentence(text: string): string {
  const start = /^["/]|^[a-z]+:\/\//.test(text) ? text : `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`;
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
