import { beforeAll, describe, expect, test } from '@jest/globals';
import { summaryText } from '../../src/commands/summary.ts';
import { timelineText } from '../../src/commands/timeline.ts';
import { traceText } from '../../src/commands/trace.ts';
import { prepareWidths } from '../../src/text/table.ts';
import { CONTEXT, conversationDetail, report, finding, linesOf, stepRow } from './reports-for-tests.ts';

beforeAll(() => prepareWidths('声音'));

describe('summary', () => {
  test('shows the duration by the clock, the sum of steps where it differs by more than 1 %, the outcome unless completed', () => {
    const head = (stepSumMs: number, outcome: 'completed' | 'timed_out'): string[] =>
      linesOf(
        summaryText(report('summary', conversationDetail([stepRow('llm', 6000)], { stepSumMs, outcome })), CONTEXT),
      );
    expect(head(6060, 'completed').slice(5, 8)).toEqual(['Total Duration: 6.000s (6000ms)', 'Steps:         1', '']);
    expect(head(5939, 'completed')[6]).toBe('Sum of Steps:    5.939s (5939ms)');
    expect(head(11_100, 'timed_out').slice(5, 9)).toEqual([
      'Total Duration: 6.000s (6000ms)',
      'Sum of Steps:    11.100s (11100ms)',
      'Steps:         1',
      'Outcome:       timed out',
    ]);
  });

  test('marks how each step ended, indents nested ones and numbers attempts', () => {
    const steps = [
      stepRow('llm', 500, { outcome: 'failed' }),
      stepRow('llm', 61_500, { attempt: 2 }),
      stepRow('look_up_in_knowledge_base', 200, { depth: 1, outcome: 'timed_out' }),
      stepRow('声音', 100, { outcome: 'interrupted' }),
      stepRow('play', 100, { outcome: 'abandoned' }),
    ];
    const lines = linesOf(summaryText(report('summary', conversationDetail(steps)), CONTEXT));
    expect(lines.slice(10)).toEqual([
      '  ✗ llm                        :  0.500s ( 500.0ms)  failed',
      '  ✓ llm #2                     : 61.500s (61500.0ms)',
      '  ✗   look_up_in_knowledge_base:  0.200s ( 200.0ms)  timed out',
      '  ■ 声音                       :  0.100s ( 100.0ms)  interrupted',
      '  ✗ play                       :  0.100s ( 100.0ms)  abandoned',
      '='.repeat(60),
    ]);
  });

  test('steps that are nested thousands deep do not widen the page', () => {
    const steps = Array.from({ length: 5_000 }, (_, depth) => stepRow('agent', 5_000 - depth, { depth }));
    for (const text of [
      summaryText(report('summary', conversationDetail(steps)), CONTEXT),
      timelineText(report('timeline', conversationDetail(steps)), CONTEXT),
      traceText(report('trace', conversationDetail(steps)), { ...CONTEXT, graph: true }),
    ]) {
      expect(text).toContain('agent (depth 4999)');
      expect(Math.max(...linesOf(text).map((line) => line.length))).toBeLessThan(150);
    }
  });

  test('points at every outermost call of the bottleneck with its own share', () => {
    const steps = [
      stepRow('llm', 1800),
      stepRow('llm', 1500, { depth: 1 }),
      stepRow('llm', 2400, { attempt: 2 }),
      stepRow('tts', 1800),
    ];
    const findings = [finding('bottleneck-step', 'It is', { evidence: { step: 'llm' } })];
    const lines = linesOf(summaryText(report('summary', conversationDetail(steps), findings), CONTEXT));
    expect(lines.slice(10, 14).map((line) => line.split('  ← ')[1])).toEqual([
      '30% of total time',
      undefined,
      '40% of total time',
      undefined,
    ]);
    expect(lines.slice(-2)).toEqual(['KEY INSIGHTS:', '• It is']);
  });

  test('colours marks as an addition', () => {
    const answer = report(
      'summary',
      conversationDetail([
        stepRow('llm', 1),
        stepRow('tts', 1, { outcome: 'failed' }),
        stepRow('x', 1, { outcome: 'interrupted' }),
      ]),
    );
    const colored = summaryText(answer, { ...CONTEXT, color: true });
    for (const mark of ['\u001b[32m✓\u001b[39m', '\u001b[31m✗\u001b[39m', '\u001b[33m■\u001b[39m']) {
      expect(colored).toContain(`  ${mark} `);
    }
    expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(summaryText(answer, CONTEXT));
  });

  test('of a conversation without steps', () => {
    expect(summaryText(report('summary', conversationDetail([])), CONTEXT)).toContain('\n  No steps\n');
  });
});

describe('trace', () => {
  test('shows all that a step says, and lengths where texts are not kept', () => {
    const steps = [
      stepRow('llm', 500.04, {
        attempt: 2,
        depth: 1,
        outcome: 'failed',
        timeToFirstOutputMs: 120.5,
        timings: { queue_wait: 80, generation: 300.25 },
        inputChars: 29,
        output: 'Hello',
        outputChars: 5,
        errorType: 'RateLimitError',
        errorMessage: 'API rate limit exceeded',
      }),
      stepRow('tts', 1, { errorType: 'abandoned', outcome: 'abandoned', timings: {} }),
    ];
    const lines = linesOf(traceText(report('trace', conversationDetail(steps), [finding('x', 'Words')]), CONTEXT));
    expect(lines.slice(3)).toEqual([
      '',
      'Step: llm (inside another step, depth 1)',
      '  Attempt:  2',
      '  Start:    2025-10-08T14:30:22.123456',
      '  End:      2025-10-08T14:30:28.123456',
      '  Duration: 500.0ms',
      '  Status:   failed',
      '  First:    output after 120.5ms',
      '  Timings:  queue_wait 80.0ms, generation 300.3ms',
      '  Input:    29 characters (text not kept)',
      '  Output:   Hello',
      '  Error:    API rate limit exceeded',
      '',
      'Step: tts',
      '  Start:    2025-10-08T14:30:22.123456',
      '  End:      2025-10-08T14:30:28.123456',
      '  Duration: 1.0ms',
      '  Status:   abandoned',
      '  Error:    abandoned',
      '',
      'ANALYSIS:',
      '• Words',
    ]);
  });

  test('shows session, workflow, response latency, models, tokens, audio, services and the attributes of the program', () => {
    const steps = [
      stepRow('llm', 500, {
        service: 'brain',
        provider: 'openai',
        model: 'a-model',
        inputTokens: 12,
        outputTokens: 30,
        attributes: { 'shop.id': 7, tags: ['a', 'b'] },
      }),
      stepRow('tts', 1, { service: 'voice', outputTokens: 5, audioSeconds: 2.25 }),
    ];
    const overrides = { sessionId: 'call-1', workflow: 'orders', responseMs: 1234 };
    const lines = linesOf(traceText(report('trace', conversationDetail(steps, overrides)), CONTEXT));
    expect(lines.slice(3, 6)).toEqual([
      'Session:       call-1',
      'Workflow:      orders',
      'Response:      after 1.234s (1234ms)',
    ]);
    expect(lines.slice(7).filter((line) => !/Start|End|Duration|Status/.test(line))).toEqual([
      'Step: llm',
      '  Service:  brain',
      '  Model:    openai a-model',
      '  Tokens:   12 in, 30 out',
      '  shop.id: 7',
      '  tags: ["a","b"]',
      '',
      'Step: tts',
      '  Service:  voice',
      '  Tokens:   5 out',
      '  Audio:    2.3s',
    ]);
    const one = linesOf(traceText(report('trace', conversationDetail([steps[0]!])), CONTEXT));
    expect(one.join()).not.toContain('Service');
  });

  test('of a conversation without steps', () => {
    expect(linesOf(traceText(report('trace', conversationDetail([])), CONTEXT)).slice(3)).toEqual(['', 'No steps']);
  });
});

describe('timeline', () => {
  test('draws bars on one axis from start to end', () => {
    const steps = [
      stepRow('listen', 1000, { offsetMs: 0 }),
      stepRow('llm', 2000, { offsetMs: 1000, outcome: 'failed' }),
      stepRow('tool', 1, { offsetMs: 1500, depth: 1 }),
      stepRow('play', 0, { offsetMs: 4000 }),
    ];
    const detail = conversationDetail(steps, { durationMs: 4000, stepSumMs: 4000 });
    const lines = linesOf(timelineText(report('timeline', detail, [finding('x', 'Words')]), CONTEXT));
    expect(lines.slice(8)).toEqual([
      `  Step          At (s) For (s)   0s${' '.repeat(32)}4.000s`,
      '-'.repeat(80),
      `✓ listen         0.000   1.000  |${'█'.repeat(10)}${' '.repeat(30)}|`,
      `✗ llm            1.000   2.000  |${' '.repeat(10)}${'█'.repeat(20)}${' '.repeat(10)}|`,
      `✓   tool         1.500   0.001  |${' '.repeat(15)}█${' '.repeat(24)}|`,
      `✓ play           4.000   0.000  |${' '.repeat(39)}█|`,
      '='.repeat(80),
      '',
      'KEY INSIGHTS:',
      '• Words',
    ]);
  });

  test('of a conversation that took no time', () => {
    const detail = conversationDetail([stepRow('llm', 0, { offsetMs: 0 })], { durationMs: 0, stepSumMs: 0 });
    expect(timelineText(report('timeline', detail), CONTEXT)).toContain(`|█${' '.repeat(39)}|`);
  });
});
