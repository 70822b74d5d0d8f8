// FHIR from files, without a store and without a server.

import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aCase, aClient, aGoal, aReferral } from '../builders.ts';
import { aFolder, casebridge, commandLine, lastLine, telling } from './program.ts';

const line = (type: string, record: object) => JSON.stringify({ type, record });

test('records become a collection Bundle on standard output; nothing is stored', async () => {
  const cwd = await aFolder({ 'records.ndjson': [line('client', aClient()), line('case', aCase())].join('\n') });
  // Started by a script of somebody else's package: what npm says of that is not about us.
  const env = { npm_lifecycle_event: 'casebridge', INIT_CWD: tmpdir() };
  const { code, out } = await casebridge(['map', '--source', 'county', 'records.ndjson'], { cwd, env });
  expect(code).toBe(0);
  const bundle = JSON.parse(out);
  expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'collection' });
  const made = bundle.entry.map(({ resource }: { resource: { resourceType: string } }) => resource.resourceType);
  expect(made).toEqual(expect.arrayContaining(['Patient', 'EpisodeOfCare']));
  expect(out).toContain('"value": "county/client/client-rosa#patient"');
  expect(await readdir(cwd)).toEqual(['records.ndjson']);
});

test('a refused line is told by file and line, the others are shown, exit code 1', async () => {
  const cwd = await aFolder({
    'records.ndjson': [line('referral', { ...aReferral(), urgency: 'zqsecret' }), line('case', aCase())].join('\n'),
  });
  const ended = await commandLine(['map', '--json', 'records.ndjson'], { cwd });
  expect(ended.code).toBe(1);
  expect(ended.err).toContain(
    'records.ndjson:1: referral referral-pantry: /urgency must be one of routine, urgent, asap, emergency.\n',
  );
  expect(lastLine(ended)).toMatchObject({ bundle: { type: 'collection' }, issues: expect.any(Array), refused: 1 });
  expect(ended.out).toContain('EpisodeOfCare');
});

test('the configuration gives the identifier system and the time zone, and says which sources there are', async () => {
  const cwd = await aFolder({
    'casebridge.yaml': `identifierSystem: urn:example:ours
sources:
  county: { token: env:COUNTY_TOKEN, timeZone: America/New_York }
`,
    'records.ndjson': line('case', aCase({ updatedAt: '2026-02-04T10:00:00' })),
  });
  const words = ['map', '--config', 'casebridge.yaml', '--source', 'county', 'records.ndjson'];
  const { code, out } = await commandLine(words, { cwd, env: { COUNTY_TOKEN: 'county-secret' } });
  expect(code).toBe(0);
  expect(out).toContain('"system": "urn:example:ours"');
  const nobody = words.map((word) => (word === 'county' ? 'countyy' : word));
  expect(await commandLine(nobody, { cwd, env: { COUNTY_TOKEN: 'county-secret' } })).toMatchObject({
    code: 2,
    err: 'The source countyy is not in the configuration. Did you mean "county"?\n',
  });
});

test('--loss shows which elements come back, which only go out, and where the mapping says so', async () => {
  const { code, out } = await commandLine(['map', '--loss']);
  expect(code).toBe(0);
  expect(out).toMatch(/^both ways +client patient +birthDate +client\.yaml:\d+$/m);
  expect(out).toMatch(/^never sent +improvementIdea none +it is about .* +improvementIdea\.yaml:\d+$/m);
  expect(out).toMatch(/^by status moves +referral fulfilment +status +referral\.yaml:\d+$/m);
});

test('--lineage shows where each element comes from, and what is sent nowhere and why', async () => {
  const cwd = await aFolder({ 'goal.ndjson': line('goal', aGoal({ statement: 'Walk more.', horizon: 'long' })) });
  const { code, out } = await commandLine(['map', '--lineage', 'goal.ndjson'], { cwd });
  expect(code).toBe(0);
  expect(out).toMatch(/^ {2}description\.text +\/statement +"Walk more\." +copy +goal\.yaml:\d+$/m);
  expect(out).toMatch(/^ {2}\/horizon +narrative and document only +goal\.yaml:\d+$/m);
  const told = lastLine(await commandLine(['map', '--lineage', '--json', 'goal.ndjson'], { cwd }));
  expect(told).toMatchObject({
    lineage: [{ type: 'goal', mapping: expect.any(String), resources: [{ slot: 'goal' }] }],
  });
});

test('--absorb shows what the resources of a server would change in records', async () => {
  const identifier = [{ system: 'urn:example:ours', value: 'county/goal/goal-food#goal' }];
  const goal = { resourceType: 'Goal', id: 'g1', identifier, lifecycleStatus: 'on-hold' };
  const unknown = { resourceType: 'Slot', id: 's1' };
  const cwd = await aFolder({
    'records.ndjson': line('goal', aGoal({ id: 'goal-food', status: 'active' })),
    'bundle.json': JSON.stringify({ resourceType: 'Bundle', entry: [{ resource: goal }, { resource: unknown }] }),
  });
  const { code, out, err } = await commandLine(['map', '--absorb', 'records.ndjson', 'bundle.json'], { cwd });
  expect(code).toBe(0);
  expect(out).toMatch(/^Goal\/g1 -> goal goal-food, goal$/m);
  expect(out).toMatch(/^ {2}lifecycleStatus +"on-hold" +-> \/status +goal\.yaml:\d+$/m);
  expect(err).toContain('Slot/s1: no mapping makes this type, so it changes nothing.');
});

test('--watch shows what differs after each change, and keeps the last mapping that loads', async () => {
  const cwd = await aFolder({ 'goal.ndjson': line('goal', aGoal({ statement: 'Walk more.' })) });
  await cp(new URL('../../mappings', import.meta.url), join(cwd, 'mappings'), { recursive: true });
  const change = async (name: string, from: string, to: string) => {
    const file = join(cwd, name);
    await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
  };
  const watching = telling(['map', '--watch', '--mappings', 'mappings', 'goal.ndjson'], { cwd });
  await watching.said('"text": "Walk more."');
  await watching.said('Watching');
  await change('goal.ndjson', 'Walk more.', 'Walk a little more.');
  await watching.said('-          "text": "Walk more."');
  await watching.said('+          "text": "Walk a little more."');
  await change('mappings/goal.yaml', 'from: statement', 'from: statment');
  await watching.said('The goal record has no field "statment". Did you mean "statement"?');
  await change('mappings/goal.yaml', 'from: statment', 'from: statement');
  await watching.said('Nothing differs.');
  expect((await watching.stop('SIGINT')).code).toBe(0);
});

test.each(['--mappings', '--overlay'])('a folder for %s that is not there is exit code 2', async (option) => {
  const cwd = await aFolder({ 'goal.ndjson': line('goal', aGoal()) });
  const { code, err } = await commandLine(['map', option, 'nowhere', 'goal.ndjson'], { cwd });
  expect({ code, err }).toEqual({ code: 2, err: `${option} names nowhere, which could not be read (ENOENT).\n` });
});

test('a source whose name is none is exit code 2', async () => {
  const { code, out, err } = await commandLine(['map', '--source', 'Bad Name', 'goal.ndjson']);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(
    'A name has small letters, digits and dashes, begins with a letter, and has 32 characters at most.',
  );
});

test('no file is exit code 2', async () => {
  expect(await commandLine(['map'])).toEqual({ code: 2, out: '', err: 'Name at least one file of records.\n' });
});

test('--export fml writes the mappings as StructureMaps, and tells what they leave out', async () => {
  const { code, out, err } = await commandLine(['map', '--export', 'fml', '--source', 'county']);
  expect(code).toBe(0);
  expect(out).toContain('map "https://casebridge.example/identifiers/StructureMap/goal-goal" = GoalGoal\n');
  expect(out).toContain("append('county/goal/', fromId)");
  expect(err).toMatch(
    /^referral\.yaml:\d+: not in the map of referral request: requester: it reads another record\.$/m,
  );
});
