import base from './jest.config.mjs';

/** The tests of the page, in a real Chromium: one test file at a time, so that what they measure is theirs. */
export default {
  ...base,
  globalSetup: '<rootDir>/tests/page/find-chromium.mjs',
  testMatch: ['<rootDir>/tests/page/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  maxWorkers: 1,
  testTimeout: 300_000,
};
