// Mapping files that change while they are loaded (bad input 62): whole versions only, and the version before stays where none can be read.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readMappingFiles } from '../../src/mapping/mapping.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'casebridge-mappings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(version: number): Promise<void> {
  for (const name of ['a.yaml', 'b.yaml']) await writeFile(join(folder, name), `version: ${version}\n`);
}

test('62: a change in the middle of the reading is read again, so that no two versions are mixed', async () => {
  await write(0);
  for (let round = 1; round <= 20; round += 1) {
    const [files] = await Promise.all([readMappingFiles(folder), write(round)]);
    expect(new Set(files.map(({ text }) => text)).size).toBe(1);
  }
});

test('62: files that never rest are refused, by one error that says what stays', async () => {
  let isOver = false;
  const writing = (async () => {
    for (let version = 0; !isOver; version += 1) await write(version);
  })();
  try {
    await expect(readMappingFiles(folder)).rejects.toThrow('The version before stays');
  } finally {
    isOver = true;
    await writing;
  }
});
