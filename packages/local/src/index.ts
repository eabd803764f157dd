export type { LocalBackendOptions, RetentionOptions } from './backend-options.ts';
export { findRunningBackend } from './discovery/find-running-backend.ts';
export { LocalError } from './local-error.ts';
export type { LocalErrorCode } from './local-error.ts';
export { openDuckDbSource } from './source/open-duckdb-source.ts';
export { startLocalBackend } from './start-local-backend.ts';
export type { LocalBackend } from './start-local-backend.ts';
export { openSpanStore } from './store/open-span-store.ts';
export type { OpenedSpanStore } from './store/open-span-store.ts';
