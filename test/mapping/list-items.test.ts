// Items of lists that both sides change: whose each is, which of ours one on the server is, and what of it only the other side has changed. What we did not
// put there stays, what we did and take back goes, whatever the server has made of ids and wording.

import { describe, expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject, objectsAt } from '../../src/json.ts';
import type { Desired } from '../../src/mapping/mapping.ts';
import type { RecordType } from '../../src/records/records.ts';
import { aClient, aGoal, aNeed, anOrganization } from '../builders.ts';
import { mappingOf } from './fixtures.ts';
import { linkedSource, linkTo, targetOf } from './linked-source.ts';

const slots: Partial<Record<RecordType, string>> = {
  client: 'patient',
  goal: 'goal',
  need: 'condition',
  organization: 'organization',
};

function desired(type: RecordType, record: JsonObject): Desired {
  const made = mappingOf(type)
    .project(record, linkedSource)
    .find(({ slot }) => slot === slots[type]);
  if (made === undefined) throw new Error(`a ${type} makes nothing`);
  return made;
}

/** What the server holds after our next write: it had of `before` what `change` makes of it, and the record is `after` now. */
function written(
  type: RecordType,
  before: JsonObject,
  after: JsonObject,
  change: (resource: JsonObject) => JsonObject,
): JsonObject {
  const slot = mappingOf(type).slot(slots[type] ?? '');
  const [sent, wanted] = [desired(type, before), desired(type, after)];
  const keys = slot.elements
    .map(({ key }) => key)
    .filter((key) => JSON.stringify(sent.facts[key]) !== JSON.stringify(wanted.facts[key]));
  return slot.copy(keys, wanted.resource, change(structuredClone(sent.resource)), sent.facts);
}

const unchanged = (resource: JsonObject): JsonObject => resource;

/** As a server that keeps no ids of elements shows it. */
function withoutIds(resource: JsonObject): JsonObject {
  const bare = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(bare);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, part]) => (name === 'id' ? [] : [[name, bare(part)]])),
    );
  };
  return Object.fromEntries(Object.entries(resource).map(([name, part]) => [name, name === 'id' ? part : bare(part)]));
}

const adding =
  (list: string, item: JsonObject) =>
  (resource: JsonObject): JsonObject => ({ ...resource, [list]: [...objectsAt(resource, list), item] });

const changing =
  (list: string, change: (item: JsonObject, index: number) => JsonObject | undefined) =>
  (resource: JsonObject): JsonObject => ({
    ...resource,
    [list]: objectsAt(resource, list).flatMap((item, index) => change(item, index) ?? []),
  });

const rosa = (more: Parameters<typeof aClient>[0]) =>
  aClient({ names: [{ use: 'legal', family: 'Lopez', given: ['Rosa'] }], ...more });
const at = (day: number) => `2026-02-0${day}T10:00:00-05:00`;

describe('what the other side has put beside our items stays when we change ours', () => {
  test.each<[string, RecordType, JsonObject, JsonObject, string, JsonObject, number]>([
    [
      'a condition that a goal addresses',
      'goal',
      aGoal({ needIds: ['n1'] }),
      aGoal({ needIds: ['n1', 'n2'] }),
      'addresses',
      { reference: 'Condition/hospital-1' },
      3,
    ],
    [
      'a maiden name',
      'client',
      rosa({}),
      rosa({ names: [{ use: 'legal', family: 'Lopez', given: ['Rosa', 'M'] }] }),
      'name',
      { use: 'maiden', family: 'Okoro' },
      2,
    ],
    [
      'an e-mail address',
      'client',
      rosa({ emails: ['a@example.org'] }),
      rosa({ emails: ['b@example.org'] }),
      'telecom',
      { system: 'email', value: 'theirs@hospital.example' },
      3,
    ],
    [
      'a language',
      'client',
      rosa({ languages: [{ code: 'es' }] }),
      rosa({ languages: [{ code: 'es', preferred: true }] }),
      'communication',
      { language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'fr' }] } },
      2,
    ],
    [
      'a number of a system that we have a number of',
      'client',
      rosa({ identifiers: [{ kind: 'mrn', system: 'urn:oid:1.2.3', value: 'A-1' }] }),
      rosa({ identifiers: [{ kind: 'mrn', system: 'urn:oid:1.2.3', value: 'A-1', validTo: '2027-01-01' }] }),
      'identifier',
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
        system: 'urn:oid:1.2.3',
        value: 'H-1',
      },
      3,
    ],
  ])('%s', (_what, type, before, after, list, theirs, count) => {
    const items = objectsAt(written(type, before, after, adding(list, theirs)), list);
    expect(items).toContainEqual(theirs);
    expect(items).toHaveLength(count);
  });

  test('a diagnosis beside ours', () => {
    const need = (codes: string[]) =>
      aNeed({ diagnosisCodes: codes.map((code) => ({ system: 'snomed', code })), confirmedBy: 'worker' });
    const diabetes = { system: 'http://snomed.info/sct', code: '73211009' };
    const { code } = written('need', need(['733423003']), need(['733423003', '32911000']), (resource) => ({
      ...resource,
      code: { ...(isObject(resource.code) && resource.code), coding: [...codingsIn(resource), diabetes] },
    }));
    expect(codingsIn({ code: code ?? null }).map((coding) => coding.code)).toEqual(
      expect.arrayContaining(['733423003', '32911000', '73211009']),
    );
  });

  const codingsIn = ({ code }: JsonObject) => objectsAt(isObject(code) ? code : {}, 'coding');

  test('and what we took back of our own goes', () => {
    const { addresses } = written(
      'goal',
      aGoal({ needIds: ['n1', 'n2'] }),
      aGoal({ needIds: ['n2'] }),
      adding('addresses', { reference: 'Condition/hospital-1' }),
    );
    expect(addresses).toEqual([
      { reference: linkTo({ type: 'need', id: 'n2', slot: 'condition' }) },
      { reference: 'Condition/hospital-1' },
    ]);
  });

  test('also the last of ours, where nobody else has said anything', () => {
    const mrn = rosa({ identifiers: [{ kind: 'mrn', system: 'urn:oid:1.2.3', value: 'A-1' }] });
    expect(objectsAt(written('client', mrn, rosa({ identifiers: [] }), unchanged), 'identifier')).toHaveLength(1);
  });
});

describe('an item that the server words otherwise than we did is still ours', () => {
  test.each<[string, JsonObject, JsonObject, string, (item: JsonObject) => JsonObject]>([
    [
      'a name in capitals',
      rosa({}),
      rosa({ names: [{ use: 'legal', family: 'Lopez', given: ['Rosa', 'M'] }] }),
      'name',
      (name) => ({ ...name, family: 'LOPEZ', given: ['ROSA'] }),
    ],
    [
      'an e-mail address in small letters',
      rosa({ emails: ['Rosa@Example.org'], phones: [] }),
      rosa({ emails: ['b@example.org'], phones: [] }),
      'telecom',
      (one) => ({ ...one, value: 'rosa@example.org' }),
    ],
    [
      'a number without its dashes',
      rosa({ identifiers: [{ kind: 'mrn', system: 'urn:oid:1.2.3', value: 'A-100' }] }),
      rosa({ identifiers: [{ kind: 'mrn', system: 'urn:oid:1.2.3', value: 'A-200' }] }),
      'identifier',
      (one) => ({ ...one, ...(one.value === 'A-100' && { value: 'A100' }) }),
    ],
  ])('%s', (_what, before, after, list, rewrite) => {
    const items = objectsAt(written('client', before, after, changing(list, rewrite)), list);
    expect(items).toHaveLength(objectsAt(desired('client', after).resource, list).length);
    expect(items).toEqual(expect.arrayContaining(objectsAt(desired('client', after).resource, list)));
  });

  test('but not one that shares little with it, nor another code', () => {
    const english = { language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en' }] }, preferred: true };
    const { communication } = written(
      'client',
      rosa({ languages: [{ code: 'es', preferred: true }] }),
      rosa({ languages: [{ code: 'fr', preferred: true }] }),
      (resource) => ({ ...resource, communication: [english] }),
    );
    expect(communication).toMatchObject([english, { language: { coding: [{ code: 'fr' }] } }]);
  });

  test('and unchanged by us it is left so, and is not made again where they have taken it out', () => {
    const org = (numbers: string[]) => anOrganization({ phones: numbers.map((number) => ({ number })) });
    const { telecom } = written(
      'organization',
      org(['518-555-0101', '518-555-0102', '518-555-0103']),
      org(['518-555-0101', '518-555-0102', '518-555-0199']),
      changing('telecom', (one, index) =>
        index === 0 ? { ...one, value: '(518) 555 0101' } : index === 1 ? undefined : one,
      ),
    );
    const phones = (Array.isArray(telecom) ? telecom : []).filter((one) => isObject(one) && one.system === 'phone');
    expect(phones).toMatchObject([{ value: '(518) 555 0101' }, { value: '518-555-0199' }]);
  });
});

describe('in one item each side may change something else', () => {
  const targets = (more: JsonObject) =>
    aGoal({ targets: [{ id: 't1', value: 5, comparator: '>=', unit: 'd', dueOn: '2026-05-31', ...more }] });
  const target = (after: JsonObject, change: (item: JsonObject) => JsonObject) =>
    objectsAt(
      written(
        'goal',
        targets({}),
        after,
        changing('target', (item) => (item.id === 't1' ? change(item) : item)),
      ),
      'target',
    ).find(({ id }) => id === 't1');

  test('what only they have changed, added or taken out stays so', () => {
    expect(target(targets({ value: 6 }), (item) => ({ ...item, dueDate: '2026-07-31' }))).toMatchObject({
      detailQuantity: { value: 6, unit: 'd' },
      dueDate: '2026-07-31',
    });
    expect(target(targets({ value: 6 }), ({ dueDate: _gone, ...item }) => item)).not.toHaveProperty('dueDate');
  });

  test('of a quantity ours is whole: its number says nothing without its unit', () => {
    const weeks = { value: 5, unit: 'wk', system: 'http://unitsofmeasure.org', code: 'wk' };
    expect(target(targets({ value: 6 }), (item) => ({ ...item, detailQuantity: weeks }))).toMatchObject({
      detailQuantity: { value: 6, comparator: '>=', unit: 'd', code: 'd' },
    });
  });

  test('of a choice one form is left: ours, where we have changed it', () => {
    const theirs = ({ detailQuantity: _gone, ...item }: JsonObject): JsonObject => ({ ...item, detailString: 'Often' });
    expect(target(targets({ dueOn: '2026-06-30' }), theirs)).toMatchObject({
      detailString: 'Often',
      dueDate: '2026-06-30',
    });
    const ours = target(targets({ value: 6 }), theirs);
    expect(ours).toMatchObject({ detailQuantity: { value: 6 } });
    expect(ours).not.toHaveProperty('detailString');
  });
});

describe('on a server that keeps no ids of elements', () => {
  const progress = (...notes: [string, number, string][]) =>
    aGoal({ progress: notes.map(([id, day, note]) => ({ id, at: at(day), note })) });

  test('what we withdraw leaves, and what we edit is there once', () => {
    const before = progress(['p1', 6, 'Lives at 5 Elm Street'], ['p2', 7, 'Second']);
    const { note } = written('goal', before, progress(['p2', 7, 'Second, corrected']), withoutIds);
    expect(note).toEqual([{ id: 'p2', time: at(7), text: 'Second, corrected' }]);
  });

  test('an address that is confidential from now on leaves, worded otherwise too', () => {
    const address = {
      id: 'a1',
      use: 'home' as const,
      lines: ['22 Oak Avenue'],
      city: 'Troy',
      state: 'NY',
      postalCode: '12180',
    };
    const [before, after] = [rosa({ addresses: [address] }), rosa({ addresses: [{ ...address, confidential: true }] })];
    for (const change of [withoutIds, changing('address', ({ id: _id, ...one }) => ({ ...one, city: 'TROY' }))])
      expect(written('client', before, after, change)).not.toHaveProperty('address');
  });

  test('what the other side has added stays', () => {
    const { note } = written(
      'goal',
      progress(['p1', 6, 'First']),
      progress(['p1', 6, 'First, corrected']),
      (resource) => withoutIds(adding('note', { time: at(8), text: 'Theirs' })(resource)),
    );
    expect(note).toMatchObject([{ text: 'First, corrected' }, { time: at(8), text: 'Theirs' }]);
  });

  test('a goal is due when it was, and no target is read of it', () => {
    const record = aGoal({ dueOn: '2026-05-31', targets: [{ id: 't1', value: 5, unit: 'd' }] });
    const slot = mappingOf('goal').slot('goal');
    const { resource, facts } = desired('goal', record);
    const held = withoutIds(resource);
    expect(slot.facts(held)['target[due]']).toEqual(facts['target[due]']);
    const absorbed = (change: (item: JsonObject) => JsonObject) =>
      slot.absorb(['target[due]', 'target[targets]'], changing('target', change)(held), record, {
        resolve: targetOf,
        linked: linkTo,
      }).patch;
    expect(absorbed((item) => item)).toEqual({});
    expect(absorbed((item) => (item.measure === undefined ? { dueDate: '2026-06-30' } : item))).toEqual({
      dueOn: '2026-06-30',
    });
  });

  test('where the due date has its id, a target with a date alone is a target', () => {
    const record = aGoal({ dueOn: '2026-05-31', targets: [] });
    const slot = mappingOf('goal').slot('goal');
    const held = adding('target', { dueDate: '2026-06-30' })(desired('goal', record).resource);
    const { patch } = slot.absorb(['target[due]', 'target[targets]'], held, record, {
      resolve: targetOf,
      linked: linkTo,
    });
    expect(patch).toEqual({ targets: [{ id: expect.stringMatching(/^r-/), dueOn: '2026-06-30' }] });
  });
});
