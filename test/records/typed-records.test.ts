// One item of a stream, `{type, record}`.

import { expect, test } from '@jest/globals';
import type { Json } from '../../src/json.ts';
import { parseTypedRecord } from '../../src/records/records.ts';
import { aNeed, receivedAt } from '../builders.ts';

const parse = (item: Json) => parseTypedRecord(item, { now: receivedAt });

test('a good one gives type and record', () => {
  expect(parse({ type: 'need', record: aNeed() })).toEqual({ ok: true, type: 'need', record: aNeed() });
});

test('a refused record keeps its type and id, and errors with pointers into the record', () => {
  expect(parse({ type: 'need', record: { ...aNeed(), domain: 'Food' } })).toMatchObject({
    ok: false,
    type: 'need',
    id: 'need-food',
    errors: [{ pointer: '/domain', rule: 'enum' }],
  });
});

test.each<[string, Json, object]>([
  ['null', null, { errors: [{ pointer: '', rule: 'type', found: 'null' }] }],
  ['a list', [1], { errors: [{ pointer: '', rule: 'type', found: 'list of 1' }] }],
  [
    'nothing in it',
    {},
    {
      errors: [
        { pointer: '/type', rule: 'required' },
        { pointer: '/record', rule: 'required' },
      ],
    },
  ],
  [
    'an unknown type',
    { type: 'refferal', record: { id: 'r1' } },
    {
      id: 'r1',
      errors: [
        { pointer: '/type', rule: 'record-type', message: expect.stringMatching(/ The nearest is "referral"\.$/) },
      ],
    },
  ],
  [
    'a type in the wrong case',
    { type: 'careplan', record: {} },
    { errors: [{ pointer: '/type', message: expect.stringContaining('"carePlan"') }] },
  ],
  ['a type of the wrong kind', { type: 7, record: {} }, { errors: [{ pointer: '/type', found: 'whole number' }] }],
  [
    'a type that every object has',
    { type: 'constructor', record: {} },
    { errors: [{ pointer: '/type', rule: 'record-type' }] },
  ],
  [
    'a record that is none',
    { type: 'need', record: 'x' },
    { type: 'need', errors: [{ pointer: '', rule: 'type', found: 'text of 1 character' }] },
  ],
  [
    'a field beside them',
    { type: 'need', record: aNeed(), source: 'county' },
    { type: 'need', id: 'need-food', errors: [{ pointer: '/source', rule: 'unknown-property' }] },
  ],
  [
    'an id that is none',
    { type: 'need', record: { id: 'a b' } },
    { type: 'need', errors: expect.arrayContaining([expect.objectContaining({ pointer: '/id' })]) },
  ],
])('%s is refused', (_, item, expected) => {
  const parsed = parse(item);
  expect(parsed).toMatchObject({ ok: false, ...expected });
  expect('id' in parsed).toBe('id' in expected);
});
