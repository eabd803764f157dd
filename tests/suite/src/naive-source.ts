import { isFailure, OUTCOMES, traceIdOf } from '@convotel/conventions';
import { askEngine, compareText } from '@convotel/query/engine';
import type {
  Answer,
  AttributeCount,
  AttributeValuesQuestion,
  GroupBy,
  CommonError,
  CommonErrorsQuestion,
  ConversationRecord,
  StepUsage,
  ConversationCount,
  ConversationCountsQuestion,
  ConversationFilters,
  ConversationSource,
  ConversationsQuestion,
  ConversationSpans,
  Coverage,
  Question,
  QuestionName,
  Questions,
  ResponseStatistics,
  ResponseStatisticsQuestion,
  SpanRecord,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
  Window,
} from '@convotel/query';
import type { Engine } from '@convotel/query/engine';
import {
  ascending,
  contains,
  cover,
  endOf,
  firstOffsetMs,
  foldedNames,
  interpolate,
  mean,
  msOf,
  newestFirst,
  ownValueOf,
  pad,
  patternOf,
  resourceValueOf,
  retriedAmong,
  reuseWarnings,
  sortKey,
  sum,
  unrecognisedWarnings,
} from './naive-definitions.ts';
import type { FoldedNames } from './naive-definitions.ts';

const ALL_TIME: Window = { sinceUnixNano: -(2n ** 63n), untilUnixNano: 2n ** 63n };
const MINUTE_NANO = 60_000_000_000n;

const NAIVE_ENGINE: Engine<NaiveSource> = {
  conversation: (source, { conversationId }) => source.conversation(conversationId),
  conversations: (source, asked) => source.conversations(asked),
  'step-statistics': (source, asked) => source.stepStatistics(asked),
  'conversation-counts': (source, asked) => source.conversationCounts(asked),
  'response-statistics': (source, asked) => source.responseStatistics(asked),
  'common-errors': (source, asked) => source.commonErrors(asked),
  'step-durations': (source, asked) => source.stepDurations(asked),
  'attribute-values': (source, asked) => source.attributeValues(asked),
};

/**
 * Answers straight from the definitions, over and over from the bare spans, and with other means than `MemorySource`
 * uses, so that the two do not share their mistakes. Slow.
 */
export class NaiveSource implements ConversationSource {
  readonly kind = 'memory';
  readonly location = 'naive';
  readonly #spans: readonly SpanRecord[];
  readonly #spansByTrace = new Map<string, SpanRecord[]>();

  constructor(delivered: readonly SpanRecord[]) {
    const copies = new Map<string, { span: SpanRecord; index: number }[]>();
    const keyOf = ({ traceId, spanId, startTimeUnixNano }: SpanRecord): string =>
      `${traceId} ${spanId} ${startTimeUnixNano}`;
    for (const span of delivered) copies.set(keyOf(span), []);
    for (const [index, span] of delivered.entries()) copies.get(keyOf(span))!.push({ span, index });
    this.#spans = delivered.filter((span, index) =>
      copies.get(keyOf(span))!.every(({ span: other, index: otherIndex }) => {
        if (index === otherIndex) return true;
        if (endOf(span) !== endOf(other)) return endOf(span) > endOf(other);
        if (span.isRecovered !== other.isRecovered) return other.isRecovered;
        return index > otherIndex;
      }),
    );
    for (const { traceId } of this.#spans) this.#spansByTrace.set(traceId, []);
    for (const span of this.#spans) this.#spansByTrace.get(span.traceId)!.push(span);
  }

  ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    return askEngine(NAIVE_ENGINE, this, question);
  }

  async conversation(conversationId: string): Promise<Answer<ConversationSpans>> {
    const all = newestFirst(this.#conversations({}));
    const carrying = all.filter(({ traceId }) =>
      this.#spansOf(traceId).some((span) => span.conversationId === conversationId),
    );
    const found =
      all.find(({ traceId }) => traceId === traceIdOf(conversationId)) ??
      carrying[0] ??
      all.find(({ traceId }) => traceId === conversationId.toLowerCase());
    const spans = this.#spans
      .filter(({ traceId }) => traceId === found?.traceId)
      .sort((a, b) => compareText(sortKey(a), sortKey(b)));
    return {
      data: {
        spans,
        otherTraceIds: carrying.map(({ traceId }) => traceId).filter((traceId) => traceId !== found?.traceId),
      },
      coverage: this.#withReuse(cover(spans), found === undefined ? [] : [found]),
    };
  }

  async conversations(question: ConversationsQuestion): Promise<Answer<ConversationRecord[]>> {
    const { window = ALL_TIME, filters = {}, order, limit, aboveNano = -1n } = question;
    const size = ({ startTimeUnixNano, endTimeUnixNano, responseMs = 0 }: ConversationRecord): bigint =>
      order === 'slowest-response' ? BigInt(Math.round(responseMs * 1e6)) : endTimeUnixNano - startTimeUnixNano;
    const fitting = this.#conversations(filters)
      .filter((conversation) => contains(window, conversation.startTimeUnixNano))
      .filter(({ outcome }) => order !== 'slowest' || outcome !== 'open')
      .filter(({ responseMs }) => order !== 'slowest-response' || responseMs !== undefined)
      .filter((conversation) => size(conversation) > aboveNano);
    const data = newestFirst(fitting)
      .sort((a, b) => (order === 'newest' ? 0 : ascending(size(b), size(a))))
      .filter((_, index) => index < limit);
    const listed = data.flatMap(({ traceId }) => this.#spansOf(traceId));
    const covered = order === 'newest' ? listed : this.#coveredSpans(window, filters);
    const coverage = cover(covered);
    const all = data.length === 0 && Object.keys(filters).length === 0 ? this.#coveredSpans(window, filters) : [];
    coverage.warnings.push(...unrecognisedWarnings(all));
    return { data, coverage: this.#withReuse(coverage, data) };
  }

  async stepStatistics(question: StepStatisticsQuestion): Promise<Answer<StepStatistics[]>> {
    const { window, filters = {}, quantiles = [], timings = true, firstOutput = false, step: wanted } = question;
    const own = this.#coveredSpans(window, filters).filter((span) => span.step !== undefined);
    const fold = foldedNames(wanted === undefined ? own : [], window);
    const spans = own.map((span) => fold.renamed(span));
    const retried = this.#conversations(filters).flatMap(({ traceId }) =>
      retriedAmong(this.#spansOf(traceId)).map((span) => fold.renamed(span)),
    );
    const group = this.#groupsOf(question.groupBy, (span) => fold.original(span));
    const order = this.#stepOrder(window, filters, spans, fold).filter((step) => [undefined, step].includes(wanted));
    const rows = group.names
      .flatMap((name) => order.map((step) => ({ name, step })))
      .filter(({ name, step }) => spans.some((span) => span.step === step && group.of(span) === name))
      .map(({ name, step }): StepStatistics => {
        const ofStep = spans.filter((span) => span.step === step && group.of(span) === name);
        const completed = ofStep.filter(({ outcome }) => outcome === 'completed');
        const counted = completed.filter((span) => msOf(span) < 60_000);
        const durations = counted.map(msOf).sort((a, b) => a - b);
        const firstOutputs = counted
          .flatMap(({ timeToFirstOutputSeconds: seconds }) => (seconds === undefined ? [] : [seconds * 1000]))
          .sort((a, b) => a - b);
        const timed = timings ? counted : [];
        const parts = [...new Set(timed.flatMap((span) => Object.keys(span.timingsSeconds ?? {})))].sort(compareText);
        return {
          ...(name !== undefined && { group: name }),
          step,
          total: ofStep.length,
          completed: completed.length,
          failures: ofStep.filter(({ outcome }) => isFailure(outcome)).length,
          retried: ofStep.filter((span) => retried.includes(span)).length,
          finalFailures: ofStep.filter((span) => isFailure(span.outcome) && !retried.includes(span)).length,
          count: counted.length,
          ...(counted.length > 0 && {
            averageMs: mean(durations),
            minMs: Math.min(...durations),
            maxMs: Math.max(...durations),
          }),
          outermostMs: sum(counted.filter(({ depth }) => depth === 0).map(msOf)),
          leftOut: { tooLong: completed.length - counted.length, notCompleted: ofStep.length - completed.length },
          timings: Object.fromEntries(
            parts.map((part) => [
              part,
              mean(counted.flatMap(({ timingsSeconds: all = {} }) => (Object.hasOwn(all, part) ? [all[part]!] : []))) *
                1000,
            ]),
          ),
          quantilesMs: durations.length === 0 ? [] : quantiles.map((rank) => interpolate(durations, rank)),
          ...(firstOutput &&
            firstOutputs.length > 0 && {
              firstOutput: {
                count: firstOutputs.length,
                averageMs: mean(firstOutputs),
                quantilesMs: quantiles.map((rank) => interpolate(firstOutputs, rank)),
              },
            }),
        };
      });
    return { data: rows, coverage: fold.warned(this.#covered(window, filters)) };
  }

  async conversationCounts(question: ConversationCountsQuestion): Promise<Answer<ConversationCount[]>> {
    const { window, filters = {}, by, timeZone } = question;
    const starts = this.#conversations(filters)
      .map(({ startTimeUnixNano }) => startTimeUnixNano)
      .filter((start) => contains(window, start))
      .sort((a, b) => Number(a > b) - Number(a < b));
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      dateStyle: 'short',
      timeStyle: 'full',
    });
    const labelOf = (unixNano: bigint): string =>
      format.format(new Date(Number(unixNano / 1_000_000n))).replace(/(\d\d):\d\d:\d\d/, '$1');
    const hourOfDay = (unixNano: bigint): number => Number(/, (\d\d)/.exec(labelOf(unixNano))![1]);
    const hourStart = (unixNano: bigint): bigint => {
      let minute = unixNano - (unixNano % MINUTE_NANO);
      while (labelOf(minute - MINUTE_NANO) === labelOf(unixNano)) minute -= MINUTE_NANO;
      return minute;
    };
    const keys = starts.map((start) => (by === 'hour' ? hourStart(start) : BigInt(hourOfDay(start))));
    const data = [...new Set(keys)]
      .sort((a, b) => Number(a > b) - Number(a < b))
      .map((key) => ({
        ...(by === 'hour' ? { hourUnixNano: key } : { hourOfDay: Number(key) }),
        conversations: keys.filter((other) => other === key).length,
      }));
    return { data, coverage: this.#covered(window, filters) };
  }

  async responseStatistics(question: ResponseStatisticsQuestion): Promise<Answer<ResponseStatistics[]>> {
    const { window, filters = {}, quantiles = [], groupBy } = question;
    const group = this.#groupsOf(groupBy);
    const started = this.#conversations(filters).filter(({ startTimeUnixNano }) => contains(window, startTimeUnixNano));
    const data = group.names.map((name): ResponseStatistics => {
      const latencies = started
        .filter(({ traceId }) => group.ofConversation(this.#spansOf(traceId)).includes(name))
        .flatMap(({ responseMs }) => (responseMs === undefined ? [] : [responseMs]))
        .sort((a, b) => a - b);
      const figures = { averageMs: mean(latencies), minMs: latencies[0]!, maxMs: latencies.at(-1)! };
      return {
        ...(name !== undefined && { group: name }),
        conversations: latencies.length,
        ...(latencies.length > 0 && figures),
        quantilesMs: latencies.length === 0 ? [] : quantiles.map((rank) => interpolate(latencies, rank)),
      };
    });
    return {
      data: data.filter(({ conversations }) => groupBy === undefined || conversations > 0),
      coverage: this.#covered(window, filters),
    };
  }

  async attributeValues(question: AttributeValuesQuestion): Promise<Answer<AttributeCount[]>> {
    const { window, filters = {}, attribute, step, limit } = question;
    const steps = this.#coveredSpans(window, filters).filter((span) => span.step !== undefined);
    const values = steps
      .filter((span) => step === undefined || span.step === step)
      .flatMap((span) => this.#valueOf(span, attribute) ?? []);
    const data = [...new Set(values)]
      .map((value) => ({ value, spans: values.filter((other) => other === value).length }))
      .sort((a, b) => b.spans - a.spans || compareText(a.value, b.value))
      .slice(0, limit);
    return { data, coverage: this.#covered(window, filters) };
  }

  async commonErrors(question: CommonErrorsQuestion): Promise<Answer<CommonError[]>> {
    const { window, filters = {}, limit } = question;
    const covered = this.#coveredSpans(window, filters);
    const failed = covered.filter((span) => span.step !== undefined && isFailure(span.outcome));
    const isAlike = (a: SpanRecord, b: SpanRecord): boolean =>
      a.step === b.step &&
      a.errorType === b.errorType &&
      (a.errorMessage === undefined
        ? b.errorMessage === undefined
        : b.errorMessage !== undefined && patternOf(a.errorMessage) === patternOf(b.errorMessage));
    const data = failed
      .filter((span, index) => failed.findIndex((other) => isAlike(span, other)) === index)
      .map((span): CommonError => {
        const alike = failed.filter((other) => isAlike(span, other));
        const [latest] = alike.sort(
          (a, b) =>
            Number(b.startTimeUnixNano - a.startTimeUnixNano) ||
            compareText(a.traceId, b.traceId) ||
            compareText(a.errorMessage ?? '', b.errorMessage ?? ''),
        );
        return {
          step: span.step!,
          ...(span.errorType !== undefined && { errorType: span.errorType }),
          ...(latest!.errorMessage !== undefined && {
            pattern: patternOf(latest!.errorMessage),
            message: latest!.errorMessage,
          }),
          count: alike.length,
          lastSeenUnixNano: latest!.startTimeUnixNano,
          conversationId: this.#describe(latest!.traceId).conversationId,
        };
      })
      .sort(
        (a, b) =>
          b.count - a.count ||
          Number(b.lastSeenUnixNano - a.lastSeenUnixNano) ||
          compareText(a.step, b.step) ||
          compareText(a.errorType ?? '\u{10ffff}', b.errorType ?? '\u{10ffff}') ||
          compareText(a.pattern ?? '\u{10ffff}', b.pattern ?? '\u{10ffff}'),
      )
      .slice(0, limit);
    return { data, coverage: this.#covered(window, filters) };
  }

  async stepDurations(question: StepDurationsQuestion): Promise<Answer<StepDurations>> {
    const { window, filters = {}, groupBy, traits = false } = question;
    const covered = this.#coveredSpans(window, filters);
    const rows = newestFirst(this.#conversations(filters)).filter(
      ({ traceId, startTimeUnixNano }) =>
        contains(window, startTimeUnixNano) ||
        covered.some((span) => span.traceId === traceId && span.step !== undefined),
    );
    rows.sort((a, b) =>
      compareText(`${pad(a.startTimeUnixNano)}${a.traceId}`, `${pad(b.startTimeUnixNano)}${b.traceId}`),
    );
    const ownStepsOf = ({ traceId }: ConversationRecord): SpanRecord[] =>
      this.#spansOf(traceId).filter((span) => span.step !== undefined);
    const fold = foldedNames(rows.flatMap(ownStepsOf), window);
    const stepsByRow = rows.map((row) => ownStepsOf(row).map((span) => fold.renamed(span)));
    const steps = this.#stepOrder(window, filters, stepsByRow.flat(), fold);
    const group = this.#groupsOf(groupBy, (span) => fold.original(span));
    const cellOf = (row: number, step: string, name: string | undefined): SpanRecord[] =>
      stepsByRow[row]!.filter((span) => span.step === step && group.of(span) === name);
    const columns = group.names
      .flatMap((name) => steps.map((step) => ({ name, step })))
      .map(({ name, step }) => {
        const ofColumn = [...rows.keys()].filter((row) => cellOf(row, step, name).length > 0);
        return { name, step, ofColumn, cells: ofColumn.map((row) => cellOf(row, step, name)) };
      })
      .filter(({ ofColumn }) => ofColumn.length > 0);
    const isCounted = (span: SpanRecord): boolean =>
      span.outcome === 'completed' && msOf(span) < 60_000 && contains(window, span.startTimeUnixNano);
    const data: StepDurations = {
      traceIds: rows.map(({ traceId }) => traceId),
      startTimesUnixNano: BigInt64Array.from(rows, (row) => row.startTimeUnixNano),
      startsInWindow: Uint8Array.from(rows, (row) => (contains(window, row.startTimeUnixNano) ? 1 : 0)),
      outcomes: rows.map(({ outcome }) => outcome),
      durationMs: Float64Array.from(rows, (row) => Number(row.endTimeUnixNano - row.startTimeUnixNano) / 1e6),
      responseMs: Float64Array.from(rows, ({ responseMs = Number.NaN }) => responseMs),
      stepSumMs: Float64Array.from(rows, (row) =>
        sum(
          ownStepsOf(row)
            .filter(({ depth }) => depth === 0)
            .map(msOf),
        ),
      ),
      ...(groupBy && {
        groupMasks: Uint32Array.from(rows, ({ traceId }) => {
          const names = group.ofConversation(this.#spansOf(traceId));
          return sum(names.map((name) => 2 ** group.names.indexOf(name)));
        }),
      }),
      steps: columns.map(({ name, step, ofColumn, cells }) => ({
        ...(name !== undefined && { group: name }),
        step,
        rows: Uint32Array.from(ofColumn),
        countedMs: Float64Array.from(cells, (spans) => sum(spans.filter(isCounted).map(msOf))),
        counted: Uint32Array.from(cells, (spans) => spans.filter(isCounted).length),
        completedMs: Float64Array.from(cells, (spans) => {
          const completed = spans.filter(({ outcome }) => outcome === 'completed');
          return completed.length === 0 ? Number.NaN : sum(completed.map(msOf));
        }),
        firstOffsetMs: Float64Array.from(cells, (spans, place) => firstOffsetMs(spans, rows[ofColumn[place]!]!)),
        ...(traits && {
          traits: {
            models: cells.map((spans) => spans.flatMap(({ model }) => model ?? []).sort(compareText)[0] ?? ''),
            retries: Uint32Array.from(cells, (spans) => spans.filter(({ attempt = 1 }) => attempt >= 2).length),
            inputChars: Float64Array.from(cells, (spans) => {
              const lengths = spans.flatMap(({ inputChars }) => inputChars ?? []);
              return lengths.length === 0 ? Number.NaN : sum(lengths);
            }),
          },
        }),
      })),
    };
    return { data, coverage: fold.warned(this.#covered(window, filters)) };
  }

  async close(): Promise<void> {}

  /** The value of a step or root that it is grouped by. */
  #valueOf(span: SpanRecord, attribute: string): string | undefined {
    const own = ownValueOf(span, attribute);
    if (own !== undefined) return own;
    const roots = this.#spansOf(span.traceId).filter(({ role }) => role === 'root');
    const ofRoots = roots.flatMap((root) => ownValueOf(root, attribute) ?? []).sort(compareText);
    return ofRoots[0] ?? resourceValueOf(span, attribute);
  }

  /** The groups by name, and which a span or a conversation is in; without `groupBy` one without a name. */
  #groupsOf(
    groupBy: GroupBy | undefined,
    original = (span: SpanRecord): SpanRecord => span,
  ): {
    names: (string | undefined)[];
    of: (span: SpanRecord) => string | undefined;
    ofConversation: (spans: SpanRecord[]) => (string | undefined)[];
  } {
    if (groupBy === undefined) return { names: [undefined], of: () => undefined, ofConversation: () => [undefined] };
    const of = (span: SpanRecord): string => {
      const value = this.#valueOf(original(span), groupBy.attribute);
      return value === undefined ? '(none)' : groupBy.values.includes(value) ? value : '(other)';
    };
    const ofConversation = (spans: SpanRecord[]): string[] => {
      const steps = spans.filter(({ role }) => role === 'step');
      const roots = spans.filter(({ role }) => role === 'root');
      const names = [...new Set((steps.length > 0 ? steps : roots).map(of))];
      return names.length === 1 ? names : names.filter((name) => name !== '(none)');
    };
    return { names: [...groupBy.values, '(other)', '(none)'], of, ofConversation };
  }

  /** One conversation a trace with a root or a step, that all filters choose. */
  #conversations(filters: ConversationFilters): ConversationRecord[] {
    const traceIds = new Set(this.#spans.filter(({ role }) => role !== 'other').map(({ traceId }) => traceId));
    return [...traceIds]
      .filter((traceId) => this.#isChosen(traceId, filters))
      .map((traceId) => this.#describe(traceId));
  }

  /** Coverage of a question with a window. */
  #covered(window: Window, filters: ConversationFilters): Coverage {
    const spans = this.#coveredSpans(window, filters);
    const coverage = cover(spans);
    if (Object.keys(filters).length === 0) coverage.warnings.push(...unrecognisedWarnings(spans));
    return coverage;
  }

  #withReuse(coverage: Coverage, conversations: readonly ConversationRecord[]): Coverage {
    const handedOver = conversations.map(({ conversationId, traceId }) => ({
      id: conversationId,
      spans: this.#spansOf(traceId),
    }));
    return { ...coverage, warnings: [...coverage.warnings, ...reuseWarnings(handedOver)] };
  }

  #spansOf(traceId: string): SpanRecord[] {
    return [...(this.#spansByTrace.get(traceId) ?? [])];
  }

  #isChosen(wanted: string, { service, workflow, session, outcome }: ConversationFilters): boolean {
    const spans = this.#spansOf(wanted);
    const own = spans.filter(({ role }) => role !== 'other');
    return (
      own.length > 0 &&
      (service === undefined || spans.map(({ serviceName }) => serviceName).includes(service)) &&
      (workflow === undefined || spans.map((span) => span.workflow).includes(workflow)) &&
      (session === undefined || spans.map(({ sessionId }) => sessionId).includes(session)) &&
      [undefined, this.#describe(wanted).outcome].includes(outcome)
    );
  }

  #describe(wanted: string): ConversationRecord {
    const spans = this.#spansOf(wanted);
    const ofRole = (role: SpanRecord['role']): SpanRecord[] => spans.filter((span) => span.role === role);
    const [steps, roots] = [ofRole('step'), ofRole('root')];
    const timed = steps.length > 0 ? steps : roots;
    const outermost = steps.filter(({ depth }) => depth === 0);
    const completed = outermost.filter(({ outcome }) => outcome === 'completed');
    const first = (field: 'conversationId' | 'sessionId' | 'workflow'): string | undefined =>
      [roots, steps, spans].flatMap((group) => group.flatMap((span) => span[field] ?? []).sort(compareText))[0];
    const [sessionId, workflow] = [first('sessionId'), first('workflow')];
    const outcome = OUTCOMES.find((candidate) => roots.some((root) => root.outcome === candidate)) ?? 'open';
    const retried = retriedAmong(spans);
    const failedStep = outermost
      .filter((span) => isFailure(span.outcome) && !retried.includes(span))
      .sort((a, b) => compareText(sortKey(a), sortKey(b)))
      .at(-1)?.step;
    const latencies = [steps, roots].map((group) => group.flatMap((span) => span.responseLatencySeconds ?? []));
    const answered = latencies.find(({ length }) => length > 0);
    const starts = timed.map(({ startTimeUnixNano }) => startTimeUnixNano).sort(ascending);
    return {
      conversationId: first('conversationId') ?? wanted,
      traceId: wanted,
      ...(sessionId !== undefined && { sessionId }),
      ...(workflow !== undefined && { workflow }),
      startTimeUnixNano: starts[0]!,
      endTimeUnixNano: timed.map(endOf).sort(ascending).at(-1)!,
      outcome,
      ...(outcome !== 'open' && isFailure(outcome) && failedStep !== undefined && { failedStep }),
      stepCount: steps.length,
      stepSumNano: outermost.reduce((total, { durationNano }) => total + durationNano, 0n),
      ...(answered && { responseMs: Math.min(...answered) * 1000 }),
      interruptedSteps: steps.filter((step) => step.outcome === 'interrupted').length,
      usage: this.#usageOf(steps),
      completedNanoByStep: Object.fromEntries(
        completed.map(({ step }) => [
          step!,
          completed.filter((span) => span.step === step).reduce((total, { durationNano }) => total + durationNano, 0n),
        ]),
      ),
    };
  }

  #usageOf(steps: SpanRecord[]): StepUsage[] {
    const amounts = ['inputTokens', 'outputTokens', 'inputChars'] as const;
    const says = steps.filter((span) => ['provider', 'model', ...amounts].some((field) => field in span));
    const keyOf = ({ step, provider = '', model = '' }: SpanRecord): string => JSON.stringify([step, provider, model]);
    return [...new Set(says.map(keyOf))].sort(compareText).map((key) => {
      const calls = says.filter((span) => keyOf(span) === key);
      const { step, provider, model } = calls[0]!;
      const sums = amounts.flatMap((field) => {
        const values = calls.flatMap((span) => span[field] ?? []);
        return values.length === 0 ? [] : [[field, values.reduce((total, value) => total + value, 0)] as const];
      });
      return {
        step: step!,
        ...(provider !== undefined && { provider }),
        ...(model !== undefined && { model }),
        calls: calls.length,
        ...Object.fromEntries(sums),
      };
    });
  }

  #coveredSpans(window: Window, filters: ConversationFilters): SpanRecord[] {
    const isFiltered = Object.keys(filters).length > 0;
    return this.#spans.filter(
      ({ traceId, startTimeUnixNano }) =>
        contains(window, startTimeUnixNano) && (!isFiltered || this.#isChosen(traceId, filters)),
    );
  }

  /** The steps of `spans`, in the order that the newest 500 conversations of the window give. */
  #stepOrder(window: Window, filters: ConversationFilters, spans: readonly SpanRecord[], fold: FoldedNames): string[] {
    const newest = newestFirst(this.#conversations(filters).filter((row) => contains(window, row.startTimeUnixNano)));
    const offsets = newest.slice(0, 500).map((row) => {
      const own = this.#spansOf(row.traceId).filter((span) => span.step !== undefined);
      const steps = own.map((span) => fold.renamed(span));
      return new Map(
        steps.map(({ step }) => [
          step!,
          firstOffsetMs(
            steps.filter((span) => span.step === step),
            row,
          ),
        ]),
      );
    });
    const beats = (a: string, b: string): boolean => {
      const both = offsets.filter((of) => of.has(a) && of.has(b));
      return both.filter((of) => of.get(a)! < of.get(b)!).length > both.length / 2;
    };
    const median = (step: string): number =>
      interpolate(
        offsets.flatMap((of) => of.get(step) ?? []).sort((a, b) => a - b),
        0.5,
      );
    const seen = [...new Set(offsets.flatMap((of) => [...of.keys()]))].sort(
      (a, b) => median(a) - median(b) || compareText(a, b),
    );
    const ordered: string[] = [];
    while (ordered.length < seen.length) {
      const left = seen.filter((step) => !ordered.includes(step));
      ordered.push(left.find((step) => !left.some((other) => beats(other, step))) ?? left[0]!);
    }
    const wanted = new Set(spans.map(({ step }) => step!));
    const unseen = [...wanted].filter((step) => !seen.includes(step)).sort(compareText);
    return [...ordered.filter((step) => wanted.has(step)), ...unseen];
  }
}
