import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Journals of the programs that tests start stay out of the home folder, and out of one another's runs.
const stateFolder = mkdtempSync(join(tmpdir(), 'convotel-test-state-'));
process.env.XDG_STATE_HOME = stateFolder;
process.once('exit', () => rmSync(stateFolder, { recursive: true, force: true }));

/** Tests run from the sources: workspace packages resolve by the `@convotel/source` export condition. */
export default {
  testEnvironment: 'node',
  // Most tests wait for processes and sockets; Jest's default would leave one of two cores idle.
  maxWorkers: '100%',
  testEnvironmentOptions: { customExportConditions: ['@convotel/source', 'node', 'node-addons'] },
  testMatch: [
    '<rootDir>/packages/*/test/**/*.test.ts',
    '<rootDir>/tests/**/*.test.ts',
    '<rootDir>/examples/*/test/**/*.test.ts',
  ],
  // These need programs of their own: `npm run test:stack`, `npm run test:clickhouse`, `npm run test:page`, `npm run test:other-tools`.
  testPathIgnorePatterns: [
    '/node_modules/',
    '/dist/',
    '<rootDir>/tests/stack/',
    '<rootDir>/tests/clickhouse/',
    '<rootDir>/tests/page/',
    '<rootDir>/tests/other-tools/',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript', decorators: false }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  // For what hangs. No test measures time by it: a loaded machine takes many times as long as a quiet one.
  testTimeout: 180_000,
  reporters: ['default', '<rootDir>/tests/closing-line-reporter.mjs'],
};
