import type { Terminal } from '../terminal.ts';
import { check, countOf } from './check.ts';
import type { Check } from './check.ts';

/** Timeout of the test request to the receiver of spans. */
const SENDING_TIMEOUT_MS = 3_000;

/** The source that commands read from. */
export interface ReadSource {
  kind: string;
  location: string;
  /** Set for a `convotel serve`. */
  instanceId?: string | undefined;
}

/**
 * Checks programs that are started in this environment without options: which variables are invalid, whether their
 * spans are accepted, and how many wait in their journals.
 * @param readsLocally - whether commands read the store of a `convotel serve` on this machine
 */
export async function checkPrograms(
  { environment, nowUnixNano }: Terminal,
  source: ReadSource | undefined,
  readsLocally: boolean,
): Promise<Check[]> {
  const { inspectEnvironment, inspectJournals } = await import('@convotel/sdk/internal');
  const program = inspectEnvironment(environment);
  const checks = program.warnings.map((text) =>
    check('environment', 'warning', text, { advice: 'Correct it where your program is started.' }),
  );
  if (program.offBy !== undefined) {
    const text = `Programs with this environment send no spans: ${program.offBy} is ${environment[program.offBy]}.`;
    checks.push(check('environment', 'warning', text, { advice: `Unset ${program.offBy} to trace them.` }));
  } else {
    checks.push(await checkEndpoint(program, source, readsLocally));
  }
  if (program.journalFolder !== undefined) {
    const nowMs = Number(nowUnixNano() / 1_000_000n);
    checks.push(...(await checkJournals(program.journalFolder, inspectJournals, nowMs)));
  }
  return checks;
}

type Internal = typeof import('@convotel/sdk/internal');

async function checkEndpoint(
  { tracesUrl, endpointVariable, trySending }: ReturnType<Internal['inspectEnvironment']>,
  source: ReadSource | undefined,
  readsLocally: boolean,
): Promise<Check> {
  const saidBy = endpointVariable ?? 'by default';
  if (tracesUrl === undefined) {
    return check('endpoint', 'problem', `Programs with this environment send no spans: ${saidBy} is not an address.`, {
      advice: `Set ${saidBy} to the address of an OTLP/HTTP receiver, for example http://localhost:4318.`,
    });
  }
  const evidence = { url: tracesUrl, saidBy };
  const where = `${tracesUrl} (${saidBy})`;
  const refusal = await trySending(SENDING_TIMEOUT_MS);
  if (refusal === undefined) {
    const other = await otherServeAt(tracesUrl, source);
    if (other === undefined) {
      return check('endpoint', 'good', `Programs with this environment send to ${where}, which accepts spans.`, {
        evidence,
      });
    }
    const read = source === undefined ? 'from elsewhere' : source.location;
    const text = `Programs send to the \`convotel serve\` at ${other}, but commands read ${read}.`;
    const advice = `Read what programs send with --from ${other}, or send where commands read (OTEL_EXPORTER_OTLP_ENDPOINT).`;
    return check('endpoint', 'warning', text, { advice, evidence });
  }
  // A user who reads from elsewhere may not trace anything on this machine, unless a variable says where to send.
  const isMeant = endpointVariable !== undefined || readsLocally;
  const isDenied = /^answered 40[13]\b/.test(refusal);
  return check(
    'endpoint',
    isMeant ? 'problem' : 'info',
    `Programs with this environment send to ${where}, which does not accept their spans: ${refusal}.`,
    {
      advice: isDenied
        ? "Give them a token that may send: OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer <token>'."
        : 'Start `convotel serve` or a collector there, or set OTEL_EXPORTER_OTLP_ENDPOINT to where one listens.',
      evidence: { ...evidence, reason: refusal },
    },
  );
}

/** The address of a `convotel serve` that accepts the spans of programs here, if commands read from another. */
async function otherServeAt(tracesUrl: string, source: ReadSource | undefined): Promise<string | undefined> {
  const address = tracesUrl.replace(/\/v1\/traces$/, '');
  const { ServeSource } = await import('@convotel/query');
  try {
    const { instanceId } = await new ServeSource(address, { timeoutMs: SENDING_TIMEOUT_MS }).health();
    return instanceId === source?.instanceId ? undefined : address;
  } catch {
    // A collector or another receiver. Where it forwards spans is unknown.
    return undefined;
  }
}

async function checkJournals(
  folder: string,
  inspectJournals: Internal['inspectJournals'],
  nowMs: number,
): Promise<Check[]> {
  const found = await inspectJournals(folder).catch((error: unknown) => (error as Error).message);
  if (typeof found === 'string') {
    const advice = `Run doctor as the user who runs the programs, or give ${folder} back to that user.`;
    return [check('journal', 'warning', `The journals of programs cannot be read: ${found}.`, { advice })];
  }
  const checks = found.flatMap((journal) => checksOfJournal(journal, nowMs));
  if (checks.length > 0) return checks;
  return [check('journal', 'good', 'No spans of programs wait on this machine.', { evidence: { folder } })];
}

function checksOfJournal(journal: Awaited<ReturnType<Internal['inspectJournals']>>[number], nowMs: number): Check[] {
  const { service, runningProcesses, waitingSpans, leftBehindSpans, damagedSpans, droppedSpans, unknownFiles } =
    journal;
  const evidence = { ...journal, lastSign: new Date(journal.lastSignMs || nowMs).toISOString() };
  const checks: Check[] = [];
  const held = waitingSpans - leftBehindSpans;
  const running = `${service}: ${countOf(runningProcesses, 'process').replace('processs', 'processes')} running`;
  if (runningProcesses > 0) {
    checks.push(
      held === 0
        ? check('journal', 'good', `${running}, and no spans of it wait.`, { evidence })
        : check('journal', 'info', `${running}, ${countOf(held, 'span')} not delivered yet.`, {
            advice:
              'They are sent automatically once their receiver accepts them; if this number grows, check the receiver.',
            evidence,
          }),
    );
  }
  if (leftBehindSpans > 0) {
    const when = new Date(journal.lastSignMs || nowMs).toISOString();
    checks.push(
      check(
        'journal',
        'warning',
        `${service}: ${countOf(leftBehindSpans, 'span')} left by processes that have ended, the last at ${when}.`,
        {
          advice: `Start the program again: it sends them first. If it never will, delete ${journal.folder}.`,
          evidence,
        },
      ),
    );
  }
  for (const [reason, spans] of Object.entries(droppedSpans)) {
    checks.push(
      check('journal', 'warning', `${service}: ${countOf(spans, 'span')} dropped (${reason.replaceAll('_', ' ')}).`, {
        advice: 'The runbook "spans lost" (docs/runbooks/spans-lost.md) says what each reason means.',
        evidence,
      }),
    );
  }
  if (damagedSpans > 0) {
    checks.push(
      check(
        'journal',
        'warning',
        `${service}: ${countOf(damagedSpans, 'span')} cannot be read from its journal any more.`,
        {
          advice: 'They are lost; the others are sent. Check the disk if this happens again.',
          evidence,
        },
      ),
    );
  }
  if (unknownFiles > 0) {
    checks.push(
      check(
        'journal',
        'warning',
        `${service}: ${countOf(unknownFiles, 'file')} of a format that this release cannot read.`,
        {
          advice: `A newer @convotel/sdk can send them. They are below ${journal.folder}.`,
          evidence,
        },
      ),
    );
  }
  return checks;
}
