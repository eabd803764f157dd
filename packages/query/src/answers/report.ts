import type { Coverage } from '../model/coverage.ts';
import type { Finding } from '../findings/finding.ts';
import type { SourceKind } from '../questions.ts';

/** What every command returns and `--json` prints. */
export interface Report<Command extends string, Data> {
  command: Command;
  /** Only `timeZone` on commands without a window. */
  window: { since?: string; until?: string; timeZone: string };
  source: { kind: SourceKind; location: string };
  coverage: Coverage;
  data: Data;
  findings: Finding[];
}
