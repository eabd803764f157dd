import config from './jest.config.mjs';

const clients = '<rootDir>/tests/newest-clients/node_modules';

/** The tests of real clients with the newest ones; see tests/newest-clients/README.md. */
export default {
  ...config,
  testMatch: ['<rootDir>/packages/tracing/test/results/clients.test.ts'],
  moduleNameMapper: {
    '^(openai|ai|@ai-sdk/openai)$': `${clients}/$1`,
  },
};
