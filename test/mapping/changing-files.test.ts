// Mapping files that change while they are loaded (bad input 62): whole versions only, and the version before stays where none can be read.

import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readMappingFiles, readOverlayFiles } from '../../src/mapping/mapping.ts';

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

test('a file of an overlay that cannot be read is named, and the setting that leads to it', async () => {
  const overlay = await mkdtemp(join(folder, 'overlay-'));
  await symlink('nowhere', join(overlay, 'need.yaml'));
  await expect(readOverlayFiles(overlay)).rejects.toThrow(
    `"overlay" in the configuration names ${join(overlay, 'need.yaml')}, which could not be read (ENOENT).`,
  );
  await rm(overlay, { recursive: true });
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
