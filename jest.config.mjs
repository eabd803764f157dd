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
  // These need programs of their own: `npm run test:stack`, `npm run test:clickhouse`.
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/tests/stack/', '<rootDir>/tests/clickhouse/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript', decorators: false }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/tests/closing-line-reporter.mjs'],
};
