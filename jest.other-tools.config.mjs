import base from './jest.config.mjs';

/** The programs of docs/with-other-tools.md with the real packages; see tests/other-tools/README.md. */
export default {
  ...base,
  testMatch: ['<rootDir>/tests/other-tools/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  testTimeout: 300_000,
};
