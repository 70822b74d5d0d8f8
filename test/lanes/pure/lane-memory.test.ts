// What a run takes up from the one before: the same where nothing has changed, and never anything that a fresh look would not give.

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { Projections } from '../../../src/lanes/desire/projections.ts';
import { createLaneMemories, emptyMemory, recognized } from '../../../src/lanes/load/lane-memory.ts';
import type { LaneRecords } from '../../../src/lanes/load/lane-rows.ts';
import { compileMappings, type ProjectContext, readMappingFiles } from '../../../src/mapping/mapping.ts';
import type { RecordType } from '../../../src/records/records.ts';
import { aCarePlan, aClient, aNeed } from '../../builders.ts';
import { aResource } from './lane-resources.ts';

const files = await readMappingFiles(new URL('../../../mappings', import.meta.url).pathname);
const otherFiles = files.map(({ path, text }) => ({ path, text: text.replace('label: Plan,', 'label: The plan,') }));

function compiled(from: typeof files, type: RecordType) {
  const result = compileMappings(from);
  const mapping = 'set' in result ? result.set.mapping(type) : undefined;
  if (mapping === undefined) throw new Error('The shipped mapping does not compile.');
  return mapping;
}

function row(type: RecordType, content: JsonObject) {
  const at = new Date('2026-02-03T09:30:00Z');
  // Always the same version: it is the content that counts.
  return { type, id: String(content.id), version: 1, content, deleted: false, updated_at: at, accepted_at: at };
}

function context(changed: Partial<ProjectContext> = {}): ProjectContext {
  return {
    source: 'county',
    identifierSystem: 'https://riverside.example.org/casebridge',
    identifierSystems: { mrn: 'https://hospital.example.org/mrn' },
    record: (type) => (type === 'need' ? aNeed() : undefined),
    reference: ({ type, id }) => `${type === 'client' ? 'Patient' : 'Condition'}/${id}`,
    ...changed,
  };
}

const plan = compiled(files, 'carePlan');
const client = compiled(files, 'client');

describe('what a record was projected to', () => {
  test('is given again, as the same objects, while everything it was made from is the same', () => {
    const projections = new Projections();
    const before = projections.project(plan, row('carePlan', aCarePlan()), context());
    expect(projections.project(plan, row('carePlan', structuredClone(aCarePlan())), context())).toBe(before);
  });

  test.each([
    ['the record', plan, row('carePlan', aCarePlan({ title: 'Another plan' })), context()],
    ['the mapping', compiled(otherFiles, 'carePlan'), row('carePlan', aCarePlan()), context()],
    [
      'another record that the mapping reads',
      plan,
      row('carePlan', aCarePlan()),
      context({ record: (type) => (type === 'need' ? aNeed({ description: 'Another need.' }) : undefined) }),
    ],
    [
      'a reference',
      plan,
      row('carePlan', aCarePlan()),
      context({ reference: ({ type }) => (type === 'client' ? 'Patient/other' : undefined) }),
    ],
    ['the system of our identifiers', plan, row('carePlan', aCarePlan()), context({ identifierSystem: 'urn:other' })],
    ['the source', plan, row('carePlan', aCarePlan()), context({ source: 'city' })],
  ])('is projected anew when %s is another', (_what, mapping, record, now) => {
    const projections = new Projections();
    const before = projections.project(plan, row('carePlan', aCarePlan()), context());
    const after = projections.project(mapping, record, now);
    expect(after).toEqual(mapping.project(record.content, now));
    expect(after).not.toEqual(before);
  });

  test('is projected anew when an identifier system of the connection is another', () => {
    const projections = new Projections();
    const record = row('client', aClient({ identifiers: [{ kind: 'mrn', value: '12345' }] }));
    const now = context({ identifierSystems: { mrn: 'https://clinic.example.org/mrn' } });
    const before = projections.project(client, record, context());
    expect(projections.project(client, record, now)).toEqual(client.project(record.content, now));
    expect(projections.project(client, record, now)).not.toEqual(before);
  });

  test('asks every question again, so that what it was made from is known as read', () => {
    const projections = new Projections();
    const asked: string[] = [];
    projections.project(plan, row('carePlan', aCarePlan()), context());
    const { record } = context();
    const noting = context({
      record: (type, id) => {
        asked.push(`${type}/${id}`);
        return record(type, id);
      },
    });
    projections.project(plan, row('carePlan', aCarePlan()), noting);
    expect(asked).toContain(`need/${aNeed().id}`);
  });
});

test('a record that says the same is recognized, and one that says something else under the same version is not', () => {
  const memory = emptyMemory();
  const read = (title: string): LaneRecords => ({
    wanted: 1,
    own: [row('carePlan', aCarePlan({ title }))],
    clientId: undefined,
    consents: [],
    referrals: [],
    others: [],
    otherRows: [],
  });
  const [first] = recognized(memory, read('Food')).own;
  expect(recognized(memory, read('Food')).own[0]?.content).toBe(first?.content);
  expect(recognized(memory, read('Rent')).own[0]?.content).toMatchObject({ title: 'Rent' });
});

describe('of the lanes of a process', () => {
  const lane = (n: number) => ({ connection: 'general', subject: `county.case.${n}` });
  const ofSize = (size: number) => {
    const resources = Array.from({ length: size }, (_, n) => [`goal/g${n}#goal`, aResource()] as const);
    return { ...emptyMemory(), resources: new Map(resources) };
  };

  test('what is kept is given to one run, and to no other before that has kept it again', () => {
    const memories = createLaneMemories();
    const memory = ofSize(2);
    memories.keep(lane(1), memory);
    expect(memories.take(lane(1))).toBe(memory);
    expect(memories.take(lane(1)).resources.size).toBe(0);
  });

  test('no more resources are kept than there is room for; those of the lanes that ran longest ago go first', () => {
    const memories = createLaneMemories(10);
    for (const n of [1, 2, 3]) memories.keep(lane(n), ofSize(4));
    const sizes = [1, 2, 3].map((n) => memories.take(lane(n)).resources.size);
    expect(sizes).toEqual([0, 4, 4]);
  });
});
