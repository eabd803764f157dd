import { startTracing } from '@convotel/sdk';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import { otlpMistakes } from '../otlp-rules.ts';
import { Sink } from '../sink.ts';
import { useEverywhere, weirdValue } from '../weird-program.ts';

/**
 * Values that programs really pass, by mistake or by malice, everywhere where a value can be passed. The real collector
 * takes the same, as JSON and as protobuf, in `tests/stack/weird-values.test.ts`.
 */
export const fault: Fault = {
  name: 'weird values as attributes, inputs, outputs, errors, names, times, links',
  async run(run) {
    const { random, measured } = run;
    const values = bySize(run, { short: 300, ci: 600, long: 2000 });
    const sink = new Sink(random);
    const mistakes: string[] = [];
    sink.inspect = (span) => mistakes.push(...otlpMistakes(span));
    await sink.start();
    const before = process.env['OTEL_EXPORTER_OTLP_PROTOCOL'];
    process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] = 'http/json';
    let thrown = 0;
    await withFolder(async (folder) => {
      const tracing = startTracing({
        endpoint: sink.url,
        metrics: false,
        journal: { folder },
        captureContent: 'full',
        redact: (text) => text,
        warn: () => {},
      });
      for (let index = 0; index < values; index += 1) thrown += await useEverywhere(weirdValue(random), random);
      const report = await tracing.shutdown({ deadlineMs: 60_000 });
      const { finishedSpans, deliveredSpans, droppedSpans } = tracing.report();
      measured({ name: `exceptions in the program, ${values} values`, value: thrown, atMost: 0 });
      measured({ name: 'spans not delivered', value: report.undeliveredSpans, atMost: 0 });
      measured({ name: 'spans delivered', value: deliveredSpans, atLeast: finishedSpans });
      measured({ name: 'requests refused', value: droppedSpans['refused'] ?? 0, atMost: 0 });
    });
    measured({
      name: `spans that are not valid OTLP${mistakes[0] === undefined ? '' : ` (${mistakes[0]})`}`,
      value: mistakes.length,
      atMost: 0,
    });
    if (before === undefined) delete process.env['OTEL_EXPORTER_OTLP_PROTOCOL'];
    else process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] = before;
    await sink.stop();
  },
};
