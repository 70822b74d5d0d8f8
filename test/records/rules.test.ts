// The rules of records that look at more than one field.

import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';
import { accepted, changed, errorsOf, refusals } from './parse.ts';

type Row = [given: string, type: RecordType, changes: { [name: string]: Json | undefined }, refused: string[]];

const legal = { use: 'legal', family: 'Delgado' };
const primary = (id: string, to?: string) => ({ id, workerId: 'w1', role: 'primary', ...(to && { to }) });
const ended = '2026-02-10T00:00:00Z';
const at = '2026-02-04T10:00:00Z';

test.each<Row>([
  ['one legal name', 'client', { names: [legal, { use: 'alias', family: 'Diaz' }] }, []],
  ['no legal name', 'client', { names: [{ use: 'preferred', given: ['Rosie'] }] }, ['/names one-legal-name']],
  ['two legal names', 'client', { names: [legal, legal] }, ['/names one-legal-name']],
  ['a duplicate of another', 'client', { mergedInto: 'client-2' }, []],
  ['a duplicate of itself', 'client', { mergedInto: 'client-rosa' }, ['/mergedInto merged-into-itself']],
  ['one open primary', 'case', { assignments: [primary('a1', ended), primary('a2')] }, []],
  [
    'an open secondary beside it',
    'case',
    { assignments: [primary('a1'), { id: 'a2', workerId: 'w2', role: 'secondary' }] },
    [],
  ],
  ['two open primaries', 'case', { assignments: [primary('a1'), primary('a2')] }, ['/assignments one-open-primary']],
  ['no open primary', 'case', { assignments: [primary('a1', ended)] }, ['/assignments one-open-primary']],
  ['no assignments', 'case', { assignments: undefined }, ['/assignments one-open-primary']],
  ['no assignments in intake', 'case', { status: 'intake', assignments: undefined }, ['/assignments one-open-primary']],
  [
    'no assignments while on hold',
    'case',
    { status: 'on-hold', assignments: undefined },
    ['/assignments one-open-primary'],
  ],
  ['no assignments, only referred', 'case', { status: 'referred', assignments: undefined }, []],
  ['no assignments, declined', 'case', { status: 'declined', assignments: undefined }, []],
  [
    'two open primaries, only referred',
    'case',
    { status: 'referred', assignments: [primary('a1'), primary('a2')] },
    ['/assignments one-open-primary'],
  ],
  [
    'two open primaries of a closed case',
    'case',
    { status: 'closed', closeReason: 'moved', assignments: [primary('a1'), primary('a2')] },
    [],
  ],
  ['a status other than the last move', 'referral', { status: 'received' }, ['/status status-is-last-move']],
  ['a part of an incoming referral', 'referral', { partOfId: 'referral-whole' }, []],
  ['a part of itself', 'referral', { partOfId: 'referral-pantry' }, ['/partOfId part-of-incoming']],
  [
    'an incoming referral that is a part of another',
    'referral',
    { direction: 'incoming', partOfId: 'referral-whole' },
    ['/partOfId part-of-incoming'],
  ],
  [
    'moves that are not legal (checked elsewhere)',
    'referral',
    {
      history: [
        { id: 'h1', status: 'received', at },
        { id: 'h2', status: 'sent', at },
      ],
    },
    [],
  ],
  [
    'two moves with one id',
    'referral',
    {
      history: [
        { id: 'h1', status: 'draft', at },
        { id: 'h1', status: 'sent', at },
      ],
    },
    ['/history/1/id unique-id'],
  ],
  [
    'two phones with one id',
    'client',
    {
      phones: [
        { id: 'p', number: '1' },
        { id: 'q', number: '2' },
        { id: 'p', number: '3' },
      ],
    },
    ['/phones/2/id unique-id'],
  ],
  ['the same id in two lists', 'client', { phones: [{ id: 'x', number: '1' }], addresses: [{ id: 'x' }] }, []],
  [
    'one worker responsible twice (no item id)',
    'goal',
    {
      responsible: [
        { kind: 'worker', id: 'w' },
        { kind: 'worker', id: 'w' },
      ],
    },
    [],
  ],
  ['another client by id', 'incident', { people: [{ role: 'other-client', id: 'client-2' }] }, []],
  [
    'another client by initials',
    'incident',
    {
      people: [
        { role: 'witness', initials: 'A. B.' },
        { role: 'other-client', initials: 'C. D.' },
      ],
    },
    ['/people/1 other-client-by-id'],
  ],
  [
    'another client by id and initials',
    'incident',
    { people: [{ role: 'other-client', id: 'client-2', initials: 'C. D.' }] },
    ['/people/0 other-client-by-id'],
  ],
  [
    'two answers to one question',
    'assessment',
    { items: [{ code: 'a', answer: { bool: true, text: 'yes' } }] },
    ['/items/0/answer one-answer-form'],
  ],
  [
    'an answer that is also missing',
    'assessment',
    { items: [{ code: 'a', answer: { bool: true }, missing: 'declined' }] },
    ['/items/0 one-answer-form'],
  ],
  [
    'a question without answer or reason',
    'assessment',
    { items: [{ code: 'a' }, { code: 'b', missing: 'unknown' }] },
    [],
  ],
  ['several choices of one question', 'assessment', { items: [{ code: 'a', answer: { codes: ['x', 'y'] } }] }, []],
  [
    'one question twice',
    'assessment',
    { items: [{ code: 'a', answer: { code: 'x' } }, { code: 'b' }, { code: 'a', answer: { code: 'y' } }] },
    ['/items/2/code unique-code'],
  ],
  [
    'one score twice',
    'assessment',
    {
      scores: [
        { code: 'total', value: 1 },
        { code: 'total', value: 1 },
      ],
    },
    ['/scores/1/code unique-code'],
  ],
  [
    'one section twice',
    'assessment',
    {
      sections: [
        { code: 'family', text: 'Two sons.' },
        { code: 'family', text: 'A sister.' },
      ],
    },
    ['/sections/1/code unique-code'],
  ],
  ['a full ssn', 'client', { identifiers: [{ kind: 'ssn', value: '900-12-3456' }] }, []],
  ['a partial ssn', 'client', { identifiers: [{ kind: 'ssn', value: 'xxxxx3456' }] }, ['/identifiers/0/value ssn']],
  ['eight digits', 'client', { identifiers: [{ kind: 'ssn', value: '90123456' }] }, ['/identifiers/0/value ssn']],
  ['last four', 'client', { identifiers: [{ kind: 'ssn-last4', value: '3456' }] }, []],
  [
    'a full ssn as last four',
    'client',
    { identifiers: [{ kind: 'ssn-last4', value: '900123456' }] },
    ['/identifiers/0/value ssn-last4'],
  ],
])('%s', (_given, type, changes, refused) => {
  expect(refusals(type, changed(type, changes))).toEqual(refused);
});

test('a deletion mark need not keep the rules of its type, only those of all', () => {
  const mark = { id: 'x', updatedAt: at, deleted: true };
  expect(refusals('client', { ...mark, names: [legal, legal] })).toEqual([]);
  expect(refusals('case', { ...mark, status: 'open' })).toEqual([]);
  expect(
    refusals('client', {
      ...mark,
      phones: [
        { id: 'p', number: '1' },
        { id: 'p', number: '2' },
      ],
    }),
  ).toEqual(['/phones/1/id unique-id']);
});

test('an error says what to do', () => {
  expect(errorsOf('case', changed('case', { assignments: [primary('a1'), primary('a2')] }))).toEqual([
    {
      pointer: '/assignments',
      rule: 'one-open-primary',
      found: 'list of 2',
      message:
        '/assignments must hold exactly one primary assignment without an end; it holds 2. End the earlier one, or add one.',
    },
  ]);
});

describe('a full SSN', () => {
  const hash = 'sha256:01ef1f2b4b4a98c8e15b2a6a0f6e2bd4b4e0f0f3a6f4b1f8a1d0a3d1b1a1c1d1';

  test.each(['900-12-3456', '900 12 3456', '900123456'])('is kept only as a hash of its digits: %s', (value) => {
    const stored = accepted('client', changed('client', { identifiers: [{ kind: 'ssn', value }] }));
    expect(JSON.stringify(stored)).not.toMatch(/900.?12.?3456/);
    expect(stored.identifiers).toEqual([{ kind: 'ssn', value: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) }]);
    expect(stored.identifiers).toEqual(
      accepted('client', changed('client', { identifiers: [{ kind: 'ssn', value: '900123456' }] })).identifiers,
    );
  });

  test('that is a hash already stays as it is', () => {
    const identifiers = [{ kind: 'ssn', value: hash }];
    expect(accepted('client', changed('client', { identifiers })).identifiers).toEqual(identifiers);
  });

  test('differs from person to person', () => {
    const of = (value: string) =>
      accepted('client', changed('client', { identifiers: [{ kind: 'ssn', value }] })).identifiers;
    expect(of('900123456')).not.toEqual(of('900123457'));
  });
});

test('the stored record is a new object; what was given is not touched', () => {
  const given = changed('client', {
    identifiers: [{ kind: 'ssn', value: '900123456' }],
    createdAt: '2026-02-01T10:00:00',
  });
  const before = JSON.stringify(given);
  const stored = accepted('client', given, 'America/New_York');
  expect(JSON.stringify(given)).toBe(before);
  expect(stored).not.toBe(given);
  expect(stored.names).not.toBe(given.names);
});

test('texts come out as they went in, byte for byte', () => {
  const description = '🥕🧑🏽‍🌾 \u202Eمخزن الطعام\u202C e\u0301 é  \t\r\n ﷽ \uFEFF';
  expect(accepted('need', changed('need', { description })).description).toBe(description);
});
