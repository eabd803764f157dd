/**
 * Runs `run` while this process has no `OTEL_*` variables, and puts them back after it. OpenTelemetry reads them by
 * itself; the user set them for his own programs, and the demo must not send there, sample or stay silent because of them.
 */
export async function withoutOtelVariables<Result>(run: () => Promise<Result>): Promise<Result> {
  const own = Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_'));
  for (const [name] of own) delete process.env[name];
  try {
    return await run();
  } finally {
    Object.assign(process.env, Object.fromEntries(own));
  }
}
