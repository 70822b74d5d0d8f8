// docs/production.md names metrics and alerts: all of them are there, and no alert is left out.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { clockTopics } from '../../src/clocks/clocks.ts';
import { dayUsed } from '../../src/lanes/operating/alerts.ts';

const root = join(import.meta.dirname, '..', '..');
const guide = await readFile(join(root, 'docs', 'production.md'), 'utf8');

test('every metric that it names is exported', async () => {
  const metrics = await readFile(join(root, 'src', 'metrics.ts'), 'utf8');
  const named = [...guide.matchAll(/`(casebridge_\w+)/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name) => !metrics.includes(`name: '${name}'`))).toEqual([]);
});

test('every alert that the product opens is explained, and no other', async () => {
  const folder = join(root, 'src');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const sources = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  // `lane-crashed:${…}`, 'lanes-overdue:', or a name by which the request budget keeps them.
  const topics = sources.flatMap((source) =>
    [...source.matchAll(/[`']([a-z]+(?:-[a-z]+)+|stale):(?:\$\{|')|\balerts\.set\('([a-z-]+)'/g)].map(
      ([, topic, name]) => topic ?? name,
    ),
  );
  topics.push(dayUsed, ...Object.values(clockTopics));
  const [, table = ''] = guide.split('Casebridge itself opens alerts');
  const explained = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect([...new Set(topics)].sort()).toEqual(explained.toSorted());
});
