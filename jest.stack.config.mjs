import base from './jest.config.mjs';

/** The tests of the real stack: real programs, real ports, so one test file at a time, and time to get ready. */
export default {
  ...base,
  testMatch: ['<rootDir>/tests/stack/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  maxWorkers: 1,
  testTimeout: 180_000,
};
