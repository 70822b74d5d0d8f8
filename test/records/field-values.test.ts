// records.md, "Types": what each kind of field takes and refuses, with the name of the rule.

import { describe, expect, test } from '@jest/globals';
import { isObject, type Json, textAt } from '../../src/json.ts';
import { definitionsSchema, type RecordType } from '../../src/records/records.ts';
import { accepted, changed, errorsOf, refusals } from './parse.ts';

type Values = [kind: string, type: RecordType, field: string, good: Json[], bad: [Json, string][]];

const long = (length: number) => 'x'.repeat(length);

describe.each<Values>([
  [
    'id',
    'case',
    'clientId',
    ['a', '829635_1', 'DS123462X', 'a.b-c_d', long(64)],
    [
      ['', 'id'],
      [long(65), 'id'],
      ['a b', 'id'],
      ['a/b', 'id'],
      ['..', 'id'],
      ['.', 'id'],
      ['é', 'id'],
      [12, 'type'],
      [null, 'null'],
    ],
  ],
  [
    'line',
    'organization',
    'name',
    ['x', long(250), '🥕 مخزن e\u0301', '0', '\u200ex '],
    [
      ['', 'empty'],
      [' ', 'empty'],
      ['\t\u00a0\u2003', 'empty'],
      ['\u200b\u200d\ufe0f\ufeff', 'empty'],
      ['\u0001', 'empty'],
      [long(251), 'max-length'],
      ['a\nb', 'line'],
      ['a\rb', 'line'],
      ['a\u2028b', 'line'],
      [1, 'type'],
    ],
  ],
  [
    'text',
    'need',
    'description',
    ['a\nb\r\nc', long(20_000), '🥕'.repeat(20_000)],
    [
      ['', 'empty'],
      [' \r\n \u3000\u0001', 'empty'],
      [long(20_001), 'max-length'],
      [`x${' '.repeat(1_000_000)}`, 'max-length'],
      [['a'], 'type'],
    ],
  ],
  [
    'date',
    'carePlan',
    'startsOn',
    ['2026-02-28', '2024-02-29', '2000-02-29', '1850-01-01'],
    [
      ['2026-02-29', 'date'],
      ['2026-02-30', 'date'],
      ['1900-02-29', 'date'],
      ['2026-04-31', 'date'],
      ['2026-13-01', 'date'],
      ['2026-00-10', 'date'],
      ['2026-01-00', 'date'],
      ['0001-01-01', 'date'],
      ['2026-1-1', 'date'],
      ['03-11-21', 'date'],
      ['2026-02-03T00:00:00Z', 'date'],
      ['', 'date'],
      [20260203, 'type'],
      [null, 'null'],
    ],
  ],
  [
    'birth date',
    'client',
    'birthDate',
    ['1984-06-17', '1984-06', '1984'],
    [
      ['1984-13', 'partial-date'],
      ['0001', 'partial-date'],
      ['84', 'partial-date'],
      ['1984-6', 'partial-date'],
      ['1984-02-30', 'partial-date'],
      [1984, 'type'],
    ],
  ],
  [
    'closed list',
    'client',
    'sex',
    ['female', 'unknown'],
    [
      ['Female', 'enum'],
      ['f', 'enum'],
      ['', 'enum'],
      [0, 'type'],
      [null, 'null'],
    ],
  ],
  [
    'need domain',
    'need',
    'domain',
    ['food', 'activities-of-daily-living', 'other'],
    [
      ['Food', 'enum'],
      ['groceries', 'enum'],
    ],
  ],
  [
    'open code',
    'client',
    'maritalStatus',
    ['married', 'never-married', '2', 'x2'],
    [
      ['Married', 'code'],
      ['never married', 'code'],
      ['a--b', 'code'],
      ['-a', 'code'],
      ['a-', 'code'],
      ['', 'code'],
      [long(65), 'max-length'],
    ],
  ],
  [
    'whole number',
    'need',
    'priority',
    [1, 9, 2],
    [
      [0, 'range'],
      [10, 'range'],
      [1.5, 'type'],
      ['1', 'type'],
    ],
  ],
  [
    'number',
    'organization',
    'respondsWithinHours',
    [0, 48, 0.5],
    [
      [-1, 'range'],
      ['48', 'type'],
      [true, 'type'],
    ],
  ],
  [
    'caseload',
    'worker',
    'caseloadTarget',
    [0, 200],
    [
      [201, 'range'],
      [-1, 'range'],
      [40.5, 'type'],
    ],
  ],
  [
    'boolean',
    'worker',
    'active',
    [true, false],
    [
      ['true', 'type'],
      [1, 'type'],
      ['yes', 'type'],
    ],
  ],
  [
    'list',
    'organization',
    'alternateNames',
    [[], ['a', 'b']],
    [
      ['a', 'type'],
      [{ 0: 'a' }, 'type'],
    ],
  ],
  [
    'object',
    'organization',
    'address',
    [{}, { lines: ['1 Elm'] }],
    [
      [[], 'type'],
      ['1 Elm', 'type'],
      [null, 'null'],
    ],
  ],
  [
    'time zone',
    'organization',
    'timeZone',
    ['America/New_York', 'UTC', 'Europe/Berlin'],
    [
      ['Eastern', 'time-zone'],
      ['', 'time-zone'],
      ['America/Newyork', 'time-zone'],
      [-5, 'type'],
    ],
  ],
])('%s', (_kind, type, field, good, bad) => {
  test.each(good.map((value) => [shown(value), value] as const))('takes %s', (_, value) => {
    expect(accepted(type, changed(type, { [field]: value }))[field]).toEqual(value);
  });

  test.each(bad.map(([value, rule]) => [shown(value), value, rule] as const))('refuses %s', (_, value, rule) => {
    expect(refusals(type, changed(type, { [field]: value }))).toEqual([`/${field} ${rule}`]);
  });
});

type Inside = [kind: string, type: RecordType, changes: { [name: string]: Json }, refused: string[]];

test.each<Inside>([
  ['a language tag', 'service', { languages: ['en', 'zh-Hant', 'es-419'] }, []],
  [
    'no language tag',
    'service',
    { languages: ['en_US', 'english language', ''] },
    ['/languages/0 bcp47', '/languages/1 bcp47', '/languages/2 bcp47'],
  ],
  ['times of day', 'service', { schedules: [{ days: ['mo', 'su'], opens: '00:00', closes: '23:59' }] }, []],
  [
    'no times of day',
    'service',
    { schedules: [{ opens: '9:00', closes: '24:00' }] },
    ['/schedules/0/opens time', '/schedules/0/closes time'],
  ],
  [
    'an old weekday',
    'service',
    { schedules: [{ days: ['MO', '1'] }] },
    ['/schedules/0/days/0 enum', '/schedules/0/days/1 enum'],
  ],
  ['money', 'service', { cost: { amount: '426.00' } }, []],
  ['money as a number', 'service', { cost: { amount: 426 } }, ['/cost/amount type']],
  ['money with a sign', 'service', { cost: { amount: '$426.00' } }, ['/cost/amount money']],
  ['money with a comma', 'service', { cost: { amount: '1,426.00' } }, ['/cost/amount money']],
  [
    'coordinates off the globe',
    'service',
    { locations: [{ id: 'l1', latitude: 90.1, longitude: -181 }] },
    ['/locations/0/latitude range', '/locations/0/longitude range'],
  ],
  ['coordinates', 'service', { locations: [{ id: 'l1', latitude: 42.65, longitude: -73.75 }] }, []],
  ['a phone by E.164', 'organization', { phones: [{ number: 'call 518', e164: '+15185550142' }] }, []],
  [
    'a phone not by E.164',
    'organization',
    { phones: [{ number: 'call 518', e164: '5185550142' }] },
    ['/phones/0/e164 e164'],
  ],
  ['an identifier system', 'client', { identifiers: [{ kind: 'mrn', value: '1', system: 'urn:oid:1.2' }] }, []],
  [
    'an identifier system without scheme',
    'client',
    { identifiers: [{ kind: 'mrn', value: '1', system: 'hospital' }] },
    ['/identifiers/0/system uri'],
  ],
  ['an mrn without system (an issue later, no refusal)', 'client', { identifiers: [{ kind: 'mrn', value: '1' }] }, []],
  ['a unit', 'goal', { measure: { unit: '{steps}/d' } }, []],
  ['no unit', 'goal', { measure: { unit: 'steps per day' } }, ['/measure/unit ucum']],
  ['a sensitivity', 'need', { sensitivity: ['hiv'] }, []],
  ['an unknown sensitivity', 'need', { sensitivity: ['HIV'] }, ['/sensitivity/0 enum']],
  ['an origin', 'case', { origin: { connection: 'general', resourceType: 'Task', id: 'anything / goes' } }, []],
  [
    'an origin of no connection',
    'case',
    { origin: { connection: 'General', resourceType: 'task', id: '1' } },
    ['/origin/connection connection', '/origin/resourceType resource-type'],
  ],
  [
    'reasons for what is missing',
    'client',
    { missing: { '/birthDate': 'declined', '/addresses/0/city': 'unknown', '/names': 'not-collected' } },
    [],
  ],
  ['an unknown reason', 'client', { missing: { '/birthDate': 'refused' } }, ['/missing/~1birthDate enum']],
  ['a reason without pointer', 'client', { missing: { birthDate: 'declined' } }, ['/missing json-pointer']],
  [
    'a reason for no field',
    'client',
    { missing: { '/birthdate': 'declined' } },
    ['/missing/~1birthdate missing-pointer'],
  ],
  [
    'a reason for a list item that has no such field',
    'client',
    { missing: { '/addresses/0/town': 'unknown' } },
    ['/missing/~1addresses~10~1town missing-pointer'],
  ],
])('%s', (_kind, type, changes, refused) => {
  expect(refusals(type, changed(type, changes))).toEqual(refused);
});

test.each<[name: string, type: RecordType, record: Json, pointer: string, message: string]>([
  [
    'an unknown field',
    'client',
    changed('client', { birthdate: '1984' }),
    '/birthdate',
    'The client record has no field "birthdate". The nearest name is "birthDate".',
  ],
  [
    'an unknown field inside',
    'client',
    changed('client', { names: [{ use: 'legal', famly: 'Delgado' }] }),
    '/names/0/famly',
    '/names/0 has no field "famly". The nearest name is "family".',
  ],
  [
    'a field of another type',
    'organization',
    changed('organization', { caseId: 'c1' }),
    '/caseId',
    'The organization record has no field "caseId". Leave it out.',
  ],
  [
    'a field unlike any other',
    'need',
    changed('need', { camp_d13377e: 1 }),
    '/camp_d13377e',
    'The need record has no field "camp_d13377e". Leave it out.',
  ],
  [
    'a very long name',
    'need',
    changed('need', { [long(100)]: 1 }),
    `/${long(60)}`,
    `The need record has no field "${long(60)}". Leave it out.`,
  ],
  [
    'a name that may be content',
    'need',
    changed('need', { 'Rosa Delgado': 1 }),
    '',
    'The need record has a field whose name holds more than letters, digits, hyphens and underscores. Leave it out.',
  ],
])('%s is refused by name', (_name, type, record, pointer, message) => {
  const errors = errorsOf(type, record).filter(({ rule }) => rule === 'unknown-property');
  expect(errors).toEqual([expect.objectContaining({ pointer, message })]);
});

test('a code in the wrong case is answered with the list and a hint', () => {
  expect(errorsOf('client', changed('client', { sex: 'Female ' }))).toEqual([
    {
      pointer: '/sex',
      rule: 'enum',
      found: 'text of 7 characters',
      message: '/sex must be one of female, male, other, unknown, in lower case and without spaces around it.',
    },
  ]);
});

test('a text in which there is nothing to see is refused like one that is empty, wherever it stands', () => {
  const names = [{ use: 'legal', given: [' '], family: '\u00a0' }];
  const message = (pointer: string) => `${pointer} is empty. Leave the field out instead: absent means not said.`;
  expect(errorsOf('client', changed('client', { names }))).toEqual([
    { pointer: '/names/0/given/0', rule: 'empty', found: 'text of 1 character', message: message('/names/0/given/0') },
    { pointer: '/names/0/family', rule: 'empty', found: 'text of 1 character', message: message('/names/0/family') },
  ]);
});

test('what a record may not hold for want of anything to see is offered to no source either', () => {
  const { filled } = isObject(definitionsSchema.$defs) ? definitionsSchema.$defs : {};
  const isFilled = new RegExp(String(isObject(filled) ? filled.pattern : ''), 'u');
  const offered = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code))
    .filter((character) => !isFilled.test(character))
    .filter((character) => textAt({ text: character }, 'text') !== undefined);
  expect(offered).toEqual([]);
  expect(textAt({ text: ' 🥕 ' }, 'text')).toBe(' 🥕 ');
});

test('null is refused everywhere with the advice to leave the field out', () => {
  expect(errorsOf('client', changed('client', { addresses: [{ id: 'a1', city: null }] }))).toEqual([
    {
      pointer: '/addresses/0/city',
      rule: 'null',
      found: 'null',
      message: '/addresses/0/city is null. Leave the field out instead: absent means not said.',
    },
  ]);
});

test('all errors of a record are told at once, at most 50 of them', () => {
  const many = Array.from({ length: 60 }, () => 7);
  expect(refusals('client', changed('client', { sex: 'x', veteran: 'maybe', colour: 1 }))).toEqual([
    '/colour unknown-property',
    '/sex enum',
    '/veteran enum',
  ]);
  expect(refusals('organization', changed('organization', { alternateNames: many }))).toHaveLength(50);
});

test('of a record with very many values only the first error is looked for', () => {
  const huge = Array.from({ length: 30_000 }, () => 7);
  expect(refusals('organization', changed('organization', { alternateNames: huge }))).toEqual([
    '/alternateNames/0 type',
  ]);
});

function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 12)}… (${text.length} characters)` : text;
}
