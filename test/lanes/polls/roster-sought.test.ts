// Patients of an operator's list who are named by a number: who carries it is asked of the server, and nothing is guessed.

import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { findSought, type NumberSought, numberSought, uploadRoster } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { useWorld } from '../../support/world.ts';

const system = 'urn:oid:1.2.3';
const world = useWorld();

const patient = (id: string, value: string, more: JsonObject = {}): JsonObject => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system, value }],
  name: [{ family: 'Ostberg' }],
  ...more,
});
const numbers = (...values: string[]): NumberSought[] => values.map((value) => ({ system, value }));
const upload = (...values: string[]) => uploadRoster(world.store, 'general', ['p0'], numbers(...values));
const find = async () => {
  await sql`update roster_sought set next_at = now()`.execute(world.store.db);
  const connection = world.deps.connections.get('general');
  if (connection === undefined) throw new Error('no connection');
  return findSought(world.store, connection);
};
const listed = async () =>
  (await world.store.db.selectFrom('roster').select('patient').orderBy('patient').execute()).map((row) => row.patient);
const reasons = async () =>
  (await world.store.db.selectFrom('roster_sought').select('reason').where('patient', 'is', null).execute()).map(
    ({ reason }) => reason?.code,
  );

test('exactly one who carries it is on the list', async () => {
  await world.server.seed(patient('a', '20417'), patient('b', '20418'));
  await upload('20417');
  expect(await listed()).toEqual(['p0']);
  expect(await find()).toBe(1);
  expect(await listed()).toEqual(['a', 'p0']);
  expect(await world.alerts()).toEqual([]);
  const before = (await world.server.journal()).length;
  expect(await find()).toBe(0);
  expect(await world.server.journal()).toHaveLength(before);
});

test('nobody, or several, is nobody: it is said why, once, and the others go on', async () => {
  await world.server.seed(patient('a', '1'), patient('b', '2'), patient('c', '2'));
  await upload('1', '2', '3');
  await find();
  await find();
  expect(await listed()).toEqual(['a', 'p0']);
  expect((await reasons()).sort()).toEqual(['roster-nobody', 'roster-several']);
  expect(await world.alerts()).toEqual([{ topic: 'roster-unresolved:general', code: 'roster-unresolved', count: 1 }]);
  // When the server has mended it, so is the list.
  await world.server.seed(patient('d', '3'));
  await world.server.fhir('DELETE', 'Patient/c');
  await find();
  expect(await listed()).toEqual(['a', 'b', 'd', 'p0']);
  expect(await world.alerts()).toEqual([]);
});

test('one who was merged into another does not count beside who stands', async () => {
  const other = { link: [{ other: { reference: 'Patient/b' }, type: 'replaced-by' }], active: false };
  await world.server.seed(patient('b', '5'), patient('a', '5', other));
  await upload('5');
  await find();
  expect(await listed()).toEqual(['b', 'p0']);
});

test('a new list takes the place of the one before: who was found stays, who is not named goes', async () => {
  await world.server.seed(patient('a', '1'), patient('b', '2'));
  await upload('1', '2');
  await find();
  expect(await uploadRoster(world.store, 'general', [], numbers('2', '9'))).toEqual({ added: 0, removed: 2 });
  expect(await listed()).toEqual(['b']);
  expect(await world.store.db.selectFrom('roster_sought').select('value').orderBy('value').execute()).toEqual([
    { value: '2' },
    { value: '9' },
  ]);
});

test('a server that does not answer is asked again; a paused connection asks nobody', async () => {
  await world.server.seed(patient('a', '1'));
  await upload('1');
  await world.server.faults({ path: 'Patient', nth: 1, fault: { status: 503 } });
  expect(await find()).toBe(0);
  expect(await world.alerts()).toEqual([]);
  await sql`update connection set paused = '{"code": "operator", "text": ""}'`.execute(world.store.db);
  const before = (await world.server.journal()).length;
  expect(await find()).toBe(0);
  expect(await world.server.journal()).toHaveLength(before);
  await sql`update connection set paused = null`.execute(world.store.db);
  expect(await find()).toBe(1);
});

test.each<[string, NumberSought | undefined]>([
  ['urn:oid:1.2.3|20417', { system, value: '20417' }],
  ['mrn| 20417 ', { system, value: '20417' }],
  ['medicaid|20417', undefined],
  ['|20417', undefined],
  ['mrn|', undefined],
  ['20417', undefined],
])('%s', (text, sought) => {
  expect(numberSought(text, { mrn: system })).toEqual(sought);
});
