// No error about a record may hold a value of it: errors go to logs, answers and other people's screens.

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkLine } from '../../src/http/intake.ts';
import { isObject, type Json } from '../../src/json.ts';
import { parseJson, recordTypes } from '../../src/records/records.ts';
import { receivedAt } from '../builders.ts';
import { arbitraryRecord } from './arbitrary.ts';
import { errorsOf } from './parse.ts';

const secret = 'Zq7 Xanthippe\n555-0199';
const secretNumber = 77_123_456.75;

// Each place of a record once replaced by something that is wrong there.
function* spoiled(value: Json, spoil: Json): Generator<Json> {
  yield spoil;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      for (const other of spoiled(item, spoil)) yield value.with(index, other);
  } else if (isObject(value)) {
    for (const [name, child] of Object.entries(value)) {
      for (const other of spoiled(child, spoil)) yield { ...value, [name]: other };
    }
  }
}

test.each(recordTypes)('%s: whatever is wrong in one, no error holds it', (type) => {
  let refused = 0;
  fc.assert(
    fc.property(
      arbitraryRecord(type),
      fc.constantFrom<Json>(secret, secretNumber, [secret], { [secret]: secret }),
      (record, spoil) => {
        for (const wrong of spoiled(record, spoil)) {
          const errors = errorsOf(type, wrong);
          refused += errors.length;
          const text = JSON.stringify(errors);
          expect(text).not.toMatch(/Zq7|Xanthippe|555-0199|77123456/);
        }
      },
    ),
    { numRuns: 3 },
  );
  expect(refused).toBeGreaterThan(0);
});

test('codes, dates and local times that are refused are not repeated', () => {
  const wrong = {
    id: 'c1',
    updatedAt: '2026-02-01T10:11:12',
    names: [{ use: 'Secretname', family: 'x' }],
    birthDate: '1961-02-30',
    sex: 'Hermaphrodite',
    identifiers: [{ kind: 'ssn', value: '900-12-345' }],
    missing: { '/Rosa Delgado': 'unknown', '/sex': 'because' },
    'Rosa Delgado': true,
  };
  const text = JSON.stringify(errorsOf('client', wrong));
  expect(text).not.toMatch(/10:11:12|Secretname|1961|Hermaphrodite|900|Rosa|Delgado|because/);
});

test('an item that is no record is refused without its content', () => {
  const items: Json[] = [
    secret,
    { type: secret, record: { id: secret } },
    { type: 'client', [secret]: 1 },
    { type: [secret], record: secret },
  ];
  for (const item of items) {
    const parsed = checkLine({ line: 1, value: item }, { now: receivedAt });
    expect(parsed).toHaveProperty('errors');
    expect(JSON.stringify(parsed)).not.toMatch(/Zq7|Xanthippe|555-0199/);
  }
});

test.each([
  '{"name": "Xanthippe" "x"}',
  '{"Xanthippe": 1, "Xanthippe": 2}',
  'Xanthippe',
  '["Xanthippe\\u0000"]',
  '{"Xanthippe": 77123456e999}',
  '["Xanthippe',
])('broken JSON is refused without its content: %s', (text) => {
  expect(() => parseJson(text)).toThrow(
    expect.objectContaining({ code: 'json-invalid', message: expect.not.stringMatching(/Xanthippe|77123456/) }),
  );
});
