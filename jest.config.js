export default {
  testEnvironment: 'node',
  testSequencer: './longest-first.js',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': './strip-types.js' },
  testTimeout: 60_000,
  maxWorkers: 3,
};
