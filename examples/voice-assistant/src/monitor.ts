import { setTimeout as wait } from 'node:timers/promises';
import { connect, errors, slow } from '@convotel/query';

/** Looks at the last hour every five minutes until Ctrl-C, and says what is wrong. */
const source = await connect(process.env['CONVOTEL_FROM'] ?? 'localhost:4318');

for (;;) {
  const untilUnixNano = BigInt(Date.now()) * 1_000_000n;
  const window = { sinceUnixNano: untilUnixNano - 3_600_000_000_000n, untilUnixNano };
  const { data: recentErrors } = await errors(source, { window, timeZone: 'UTC' });
  const { data: slowOnes } = await slow(source, { window, timeZone: 'UTC', thresholdMs: 8000, limit: 5 });

  for (const { step, errorRatePct } of recentErrors) {
    if (errorRatePct > 10) console.log(`⚠️  HIGH ERROR RATE: ${step} at ${errorRatePct.toFixed(1)}%`);
  }
  if (slowOnes.length > 3) console.log(`⚠️  SLOW PERFORMANCE: ${slowOnes.length} conversations >8s`);

  await wait(300_000);
}
