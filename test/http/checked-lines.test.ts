// One line of a stream, `{type, record}`, as it is checked before it is accepted.

import { expect, test } from '@jest/globals';
import { checkLine } from '../../src/http/intake.ts';
import type { Json } from '../../src/json.ts';
import { aNeed, receivedAt } from '../builders.ts';

const parse = (value: Json) => checkLine({ line: 1, value }, { now: receivedAt });

test('a good one gives type and record', () => {
  expect(parse({ type: 'need', record: aNeed() })).toMatchObject({ item: { type: 'need', record: aNeed() } });
});

test('a refused record keeps its type and id, and errors with pointers into the record', () => {
  expect(parse({ type: 'need', record: { ...aNeed(), domain: 'Food' } })).toMatchObject({
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
        { pointer: '/type', rule: 'enum', found: 'missing' },
        { pointer: '/record', rule: 'required' },
      ],
    },
  ],
  [
    'an unknown type',
    { type: 'refferal', record: { id: 'r1' } },
    {
      id: 'r1',
      errors: [{ pointer: '/type', rule: 'enum', message: expect.stringContaining('"referral"') }],
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
    { errors: [{ pointer: '/type', rule: 'enum' }] },
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
  expect(parsed).toMatchObject(expected);
  expect(parsed.id !== undefined).toBe('id' in expected);
});
