/**
 * What the program's author decided once for the whole process. It hangs on `globalThis` under a registered symbol,
 * so that `@convotel/sdk` can set it and every copy of `@convotel/tracing` sees it without importing one another.
 */
export interface ProcessSettings {
  /** Whether input and output texts may be written to spans; when unset, the environment decides, and by default not. */
  captureContent?: boolean | undefined;
  /** Longest input or output text that is written, in UTF-16 code units; when unset, texts are written whole. */
  maxContentLength?: number | undefined;
}

const KEY = Symbol.for('convotel.process-settings');

/** The settings of this process; change them in place. */
export function processSettings(): ProcessSettings {
  const registry = globalThis as { [KEY]?: ProcessSettings };
  return (registry[KEY] ??= {});
}

/** Environment variable that switches content capture on with `true` (OpenTelemetry GenAI instrumentations share it). */
export const CAPTURE_CONTENT_VARIABLE = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
