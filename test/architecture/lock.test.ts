import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { completeLock } from '../../scripts/complete-lock.ts';

test('the lock file names every optional platform package, so that npm ci works everywhere', async () => {
  const lock = JSON.parse(await readFile('package-lock.json', 'utf8'));
  expect(completeLock(lock)).toEqual(lock);
});

test('the lock file names no registry', async () => {
  expect(await readFile('package-lock.json', 'utf8')).not.toContain('"resolved"');
});

test('a missing platform package gets its entry from its name, like its parent', () => {
  const parent = {
    version: '2.0.0',
    dev: true,
    optionalDependencies: { '@tool/cli-linux-x64-musl': '2.0.0', '@tool/cli-darwin-arm64': '2.0.0' },
  };
  const there = { version: '2.0.0', dev: true, optional: true, os: ['darwin'], cpu: ['arm64'] };
  const lock = { packages: { 'node_modules/tool': parent, 'node_modules/@tool/cli-darwin-arm64': there } };
  expect(completeLock(lock).packages).toEqual({
    ...lock.packages,
    'node_modules/@tool/cli-linux-x64-musl': {
      version: '2.0.0',
      dev: true,
      optional: true,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
    },
  });
});

test('one that lies in a folder below counts as there', () => {
  const parent = { version: '1.0.0', optionalDependencies: { 'tool-win32-x64': '1.0.0' } };
  const lock = {
    packages: { 'node_modules/a/node_modules/tool': parent, 'node_modules/a/node_modules/tool-win32-x64': {} },
  };
  expect(Object.keys(completeLock(lock).packages)).toHaveLength(2);
});

test.each([
  ['fsevents', '2.3.3', 'does not tell its platform'],
  ['tool-linux-x64', '^1.0.0', 'is a range'],
])('%s@%s is left to a person', (name, version, problem) => {
  const lock = { packages: { 'node_modules/tool': { optionalDependencies: { [name]: version } } } };
  expect(() => completeLock(lock)).toThrow(problem);
});
