export default {
  testEnvironment: 'node',
  testRunner: './run-natively.js',
  testSequencer: './longest-first.js',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {},
  testTimeout: 180_000,
  maxWorkers: 3,
};
