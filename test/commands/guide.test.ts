// A guide of one's own, from its package to a gateway that checks against it.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aClient } from '../builders.ts';
import { freshFolder } from '../support/embedded.ts';
import { aPackage } from '../support/guide-package.ts';
import { aFolder, commandLine, lastLine, listening } from './program.ts';

const about = { name: 'org.example.local', version: '1.2.0', fhirVersions: ['4.0.1'] };
const localFlag = {
  resourceType: 'StructureDefinition',
  id: 'local-flag',
  url: 'https://guide.example.org/StructureDefinition/local-flag',
  version: '1.2.0',
  kind: 'resource',
  type: 'Flag',
  derivation: 'constraint',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Flag',
  snapshot: {
    element: [
      { id: 'Flag', path: 'Flag', min: 0, max: '*' },
      { id: 'Flag.period', path: 'Flag.period', min: 1, max: '1', mustSupport: true, type: [{ code: 'Period' }] },
    ],
  },
};

async function packageIn(folder: string): Promise<string> {
  const { bytes } = aPackage({ 'package/package.json': about, 'package/local-flag.json': localFlag });
  const file = join(folder, 'local.tgz');
  await writeFile(file, bytes);
  return file;
}

const folder = await aFolder();
const out = join(folder, 'local.json');
const told = await commandLine(['guide', await packageIn(folder), '--out', out]);
const facts = await readFile(out, 'utf8');

test('guide writes the facts of a package and says what it made', () => {
  expect(told).toMatchObject({ code: 0, err: '' });
  expect(told.out).toContain(`The facts of org.example.local 1.2.0 are in ${out}`);
  expect(told.out).toContain('1 profiles of resources, 0 extensions\n  profile: local-flag\n');
  expect(JSON.parse(facts)).toMatchObject({
    guide: 'org.example.local',
    profiles: { 'local-flag': { elements: { period: { min: 1, mustSupport: true } } } },
  });
});

test('with --json the object is the last line', async () => {
  const ended = await commandLine(['guide', join(folder, 'local.tgz'), '--out', out, '--json']);
  expect(lastLine(ended)).toMatchObject({
    file: out,
    guide: 'org.example.local',
    version: '1.2.0',
    profiles: ['local-flag'],
    leftOut: { withoutSnapshot: [], unresolved: [] },
  });
});

test.each([
  ['a file that is not there', 'nowhere.tgz', 'file-unreadable'],
  ['a file that is no package', 'text.tgz', 'guide-package-invalid'],
])('%s is told, and nothing is written', async (_what, name, code) => {
  const folder = await aFolder({ 'text.tgz': 'no package' });
  const out = join(folder, 'local.json');
  const ended = await commandLine(['guide', join(folder, name), '--out', out, '--json']);
  expect(ended.code).toBe(2);
  expect(lastLine(ended)).toMatchObject({ error: { code } });
  await expect(readFile(out)).rejects.toThrow('ENOENT');
});

const configuration = `identifierSystem: urn:example:ours
server: { port: 0 }
guides: [./facts.json]
sources:
  county: { token: file:token }
`;

test('a configuration names the facts: map reads them from beside it, and refuses what is none', async () => {
  const folder = await aFolder({
    'casebridge.yaml': configuration,
    token: 'county-secret',
    'client.ndjson': JSON.stringify({ type: 'client', record: aClient() }),
  });
  const words = ['map', '--config', join(folder, 'casebridge.yaml'), join(folder, 'client.ndjson')];
  expect(await commandLine(words)).toMatchObject({
    code: 2,
    err: expect.stringContaining(
      `"guides" in the configuration names ${join(folder, 'facts.json')}, which could not be read (ENOENT).`,
    ),
  });
  await writeFile(join(folder, 'facts.json'), '{}');
  expect(await commandLine(words)).toMatchObject({
    code: 2,
    err: expect.stringContaining('guides/facts.json:1:1: These are no facts of a guide'),
  });
  await writeFile(join(folder, 'facts.json'), facts);
  expect(await commandLine(words)).toMatchObject({ code: 0 });
});

test('serve checks them at start, and logs once what the mappings leave unsupported', async () => {
  const folder = await aFolder({
    'casebridge.yaml': configuration,
    token: 'county-secret',
    'facts.json': '{"guide":"x"}',
  });
  const refused = await commandLine(['serve', '--config', join(folder, 'casebridge.yaml')]);
  expect(refused).toMatchObject({
    code: 2,
    err: expect.stringContaining('guides/facts.json:1:1: These are no facts of a guide'),
  });
  await writeFile(join(folder, 'facts.json'), facts);
  await freshFolder(join(folder, 'data'));
  const { err } = await (await listening(['serve'], { cwd: folder })).stop();
  const lines = err.split('\n').filter((line) => line.includes('must be supported by SDOHCC-ServiceRequest'));
  // Two slots claim the profile: a referral's request, and the ride to an appointment.
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 40, at: expect.stringMatching(/^appointment\.yaml:\d+$/) },
    { level: 40, at: expect.stringMatching(/^referral\.yaml:\d+$/) },
  ]);
});
