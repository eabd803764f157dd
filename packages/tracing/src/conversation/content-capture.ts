import { CAPTURE_CONTENT_VARIABLE, processSettings } from '@convotel/conventions';

let capturesByEnvironment: boolean | undefined;

/** Whether texts may be written to spans: the conversation decides, else the process, else the environment, else not. */
export function capturesContent(option: boolean | undefined): boolean {
  if (typeof option === 'boolean') return option;
  return (
    processSettings().captureContent ??
    (capturesByEnvironment ??= process.env[CAPTURE_CONTENT_VARIABLE]?.trim().toLowerCase() === 'true')
  );
}
