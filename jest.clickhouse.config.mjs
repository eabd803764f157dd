import base from './jest.config.mjs';

/** The tests on ClickHouse's engine: a process of some 400 MB each, so one test file at a time. */
export default {
  ...base,
  testMatch: ['<rootDir>/tests/clickhouse/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  maxWorkers: 1,
  testTimeout: 120_000,
};
