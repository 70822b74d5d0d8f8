// docs/production.md names metrics and alerts: all of them are there, and no alert is left out.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { clockTopics } from '../../src/clocks/clocks.ts';

const root = join(import.meta.dirname, '..', '..');
const guide = await readFile(join(root, 'docs', 'production.md'), 'utf8');

test('every metric that it names is exported', async () => {
  const metrics = await readFile(join(root, 'src', 'metrics.ts'), 'utf8');
  const named = [...guide.matchAll(/`(casebridge_\w+)/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name) => !metrics.includes(`name: '${name}'`))).toEqual([]);
});

test('every alert that the product opens is explained', async () => {
  const folders = ['lanes', 'page', 'records/accept'].map((folder) => join(root, 'src', folder));
  const files = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder, { recursive: true });
      return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
    }),
  );
  const sources = await Promise.all(files.flat().map((file) => readFile(file, 'utf8')));
  // `lane-crashed:${…}`, or a name by which the request budget keeps them.
  const topics = sources.flatMap((source) =>
    [...source.matchAll(/`([a-z]+(?:-[a-z]+)+|stale):\$\{|\balerts\.set\('([a-z-]+)'/g)].map(
      ([, topic, name]) => topic ?? name,
    ),
  );
  topics.push(...Object.values(clockTopics));
  const explained = [...guide.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(topics.length).toBeGreaterThan(6);
  expect([...new Set(topics)].filter((topic) => !explained.includes(topic))).toEqual([]);
});
