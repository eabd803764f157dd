import { readFileSync } from 'node:fs';
import { defineCommand } from '../command-line/command.ts';
import { JSON_OPTION, SOURCE_OPTIONS, TIME_ZONE_OPTION } from '../command-line/shared-options.ts';
import { doctorLines, checkNode, checkSettings, checkTimeZone, effectiveSettings } from '../doctor/check.ts';
import type { DoctorReport } from '../doctor/check.ts';
import { checkPrograms } from '../doctor/programs.ts';
import { checkSource } from '../doctor/source.ts';
import { EXIT_STATUS, unlessInterrupted } from '../terminal.ts';
import { findWhere } from '../sources/open-source.ts';
import { formatJson, withoutCredentials } from '../text/escape.ts';
import { pageText } from '../text/page.ts';
import { prepareReport } from '../text/table.ts';
import { readVersion } from '../command-line/program.ts';

/** `doctor`: checks the setup and suggests what to do; exit status 10 if there is a problem. */
export const command = defineCommand({
  examples: [
    ['convotel doctor', 'check everything: settings, where commands read, where programs send'],
    ['convotel doctor --from localhost:16686', 'the same with a Jaeger'],
    ['convotel doctor --json', 'for a program, or for a report of a fault'],
  ],
  options: { ...SOURCE_OPTIONS, ...TIME_ZONE_OPTION, ...JSON_OPTION },
  readsSettingsItself: true,
  run: async ({ options, terminal }) => {
    const { formatInstant } = await import('@convotel/query');
    const examined = (async (): Promise<DoctorReport> => {
      const { settings, checks } = await checkSettings(options, terminal);
      const zone = checkTimeZone(options, settings, terminal);
      const texts = { ...options, setting: settings.from };
      const read = await checkSource(texts, terminal);
      const readsLocally = findWhere(texts, terminal.environment).value === 'local';
      const programs = await checkPrograms(terminal, read.source, readsLocally);
      const all = [
        checkNode(process.versions.node, supportedNode()),
        ...checks,
        ...zone.checks,
        ...read.checks,
        ...programs,
      ].map((each) => ({ ...each, text: withoutCredentials(each.text) }));
      return {
        command: 'doctor',
        time: formatInstant(terminal.nowUnixNano()),
        version: readVersion(),
        ok: all.every(({ severity }) => severity !== 'problem'),
        ...(read.kind !== undefined && { source: { kind: read.kind, location: read.source!.location } }),
        settings: effectiveSettings(options, settings, zone.timeZone, terminal),
        checks: all,
      };
    })();
    const report = await unlessInterrupted(examined, terminal);
    if (report === undefined) return EXIT_STATUS.interrupted;
    if (options.json) {
      terminal.writeOutput(formatJson(report));
    } else {
      const shown = await prepareReport(report);
      const columns = terminal.columns === undefined ? undefined : Math.min(Math.max(terminal.columns, 40), 120);
      terminal.writeOutput(pageText(doctorLines(shown, { columns }), { columns }));
    }
    return report.ok ? EXIT_STATUS.answered : EXIT_STATUS.thresholdCrossed;
  },
});

function supportedNode(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { engines: { node: string } }).engines.node;
}
