export { LocalError } from './local-error.ts';
export type { LocalErrorCode } from './local-error.ts';
export { openDuckDbSource } from './source/open-duckdb-source.ts';
