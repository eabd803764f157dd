import config from './jest.config.mjs';

const clients = '<rootDir>/tests/newest-clients/node_modules';

/** The tests of real clients with the newest ones, and of proxies with a Node that knows them itself; see tests/newest-clients/README.md. */
export default {
  ...config,
  testMatch: [
    '<rootDir>/packages/tracing/test/results/clients.test.ts',
    '<rootDir>/packages/sdk/test/delivery/proxy.test.ts',
  ],
  moduleNameMapper: {
    '^(openai|ai|@ai-sdk/openai)$': `${clients}/$1`,
  },
};
