// A referral that the other side has begun and nobody here has answered: by who is asked, how it stands, and how it stood when it was offered.

import { describe, expect, test } from '@jest/globals';
import { objectsAt } from '../../src/json.ts';
import { passesOn, readBegun, readOrder, taskStatuses } from '../../src/referrals/referrals.ts';

const task = { resourceType: 'Task', intent: 'order', status: 'requested', code: { coding: [{ code: 'fulfill' }] } };
const order = { resourceType: 'ServiceRequest', status: 'active' };
const begun = {
  task,
  order,
  isWithdrawn: false,
  performer: 'ours',
  isPartOfOurs: false,
  isPassedOn: false,
} as const;
const said = (reading: ReturnType<typeof readBegun>) =>
  reading.kind === 'offer' ? `offer ${reading.status}` : `${reading.kind} ${reading.why}`;

describe('a Task', () => {
  test('seen for the first time, by its status', () => {
    const readings = taskStatuses.map((status) => [status, said(readBegun({ ...begun, task: { ...task, status } }))]);
    expect(Object.fromEntries(readings)).toEqual({
      draft: 'keep inbound-draft',
      requested: 'offer received',
      received: 'offer received',
      accepted: 'offer accepted',
      rejected: 'keep inbound-ended',
      ready: 'offer received',
      cancelled: 'keep inbound-ended',
      'in-progress': 'offer in-progress',
      'on-hold': 'offer on-hold',
      failed: 'keep inbound-ended',
      completed: 'keep inbound-ended',
      'entered-in-error': 'keep inbound-ended',
    });
  });

  test('offered as requested, by its status now', () => {
    const offered = { task: 'requested', order: 'active' };
    const readings = taskStatuses.map((status) => [
      status,
      said(readBegun({ ...begun, offered, task: { ...task, status } })),
    ]);
    const moved = 'ask inbound-moved';
    expect(Object.fromEntries(readings)).toEqual({
      draft: moved,
      requested: 'offer received',
      received: moved,
      accepted: moved,
      rejected: moved,
      ready: moved,
      cancelled: 'withdraw inbound-cancelled',
      'in-progress': moved,
      'on-hold': moved,
      failed: moved,
      completed: moved,
      'entered-in-error': 'withdraw inbound-cancelled',
    });
  });

  test.each([
    ['of somebody else', { performer: 'others' }, 'keep inbound-not-ours'],
    ['for anybody', { performer: 'open' }, 'offer received'],
    [
      'for anybody that somebody has taken up',
      { performer: 'open', task: { ...task, status: 'accepted' } },
      'keep inbound-not-ours',
    ],
    [
      'that is given to somebody else after it was offered',
      { performer: 'others', offered: { task: 'requested', order: 'active' } },
      'withdraw inbound-not-ours',
    ],
    [
      'for the patient',
      { task: { ...task, code: { coding: [{ code: 'make-contact' }] } } },
      'keep inbound-no-referral',
    ],
    ['that is a plan', { task: { ...task, intent: 'plan' } }, 'keep inbound-no-referral'],
    ['whose order is revoked', { order: { ...order, status: 'revoked' } }, 'keep inbound-cancelled'],
    [
      'whose order is revoked after it was offered',
      { order: { ...order, status: 'revoked' }, offered: { task: 'requested', order: 'active' } },
      'withdraw inbound-cancelled',
    ],
    [
      'whose order is completed after it was offered',
      { order: { ...order, status: 'completed' }, offered: { task: 'requested', order: 'active' } },
      'ask inbound-order-moved',
    ],
    ['without an order', { order: undefined }, 'offer received'],
    ['taken back before', { isWithdrawn: true }, 'ask inbound-moved'],
  ] as const)('%s', (_, changed, expected) => {
    expect(said(readBegun({ ...begun, ...changed } as Parameters<typeof readBegun>[0]))).toBe(expected);
  });
});

describe('a part of a referral of ours, and one that somebody passes on', () => {
  test.each([
    ['ours', 'part', 'offer received', 'offer received'],
    ['ours', 'passed on', 'offer received', 'offer received'],
    ['open', 'part', 'keep inbound-sub-task', 'withdraw inbound-sub-task'],
    ['open', 'passed on', 'keep inbound-passed-on', 'withdraw inbound-passed-on'],
    ['others', 'part', 'keep inbound-sub-task', 'withdraw inbound-sub-task'],
    ['others', 'passed on', 'keep inbound-not-ours', 'withdraw inbound-not-ours'],
  ] as const)('asked of %s, %s: %s; offered before: %s', (performer, which, first, later) => {
    const now = { ...begun, performer, isPartOfOurs: which === 'part', isPassedOn: which === 'passed on' };
    const offered = { task: 'requested', order: 'active' };
    expect([said(readBegun(now)), said(readBegun({ ...now, offered }))]).toEqual([first, later]);
  });

  test('never bothers anybody, whatever its status, its order and its patient', () => {
    const statuses = [...taskStatuses, 'pending-review'];
    for (const isPartOfOurs of [true, false])
      for (const status of statuses)
        for (const order of ['active', 'on-hold', 'completed', 'revoked', 'unknown'])
          expect(
            readBegun({
              ...begun,
              task: { ...task, status },
              order: { resourceType: 'ServiceRequest', status: order },
              performer: 'open',
              isPartOfOurs,
              isPassedOn: true,
            }).kind,
          ).toBe('keep');
  });

  test('an order alone is kept too, and what asks for no service is no part of anything', () => {
    const alone = { order, isWithdrawn: false, performer: 'others', isPartOfOurs: true, isPassedOn: false } as const;
    expect(said(readBegun(alone))).toBe('keep inbound-sub-task');
    const question = { ...task, code: { coding: [{ code: 'make-contact' }] } };
    expect(said(readBegun({ ...begun, task: question, isPartOfOurs: true }))).toBe('keep inbound-no-referral');
  });

  test.each([
    ['requested', true],
    ['rejected', true],
    ['cancelled', true],
    ['draft', false],
    ['entered-in-error', false],
  ])('a Task that is %s passes on what it is part of: %s', (status, expected) => {
    expect(passesOn({ ...task, status })).toBe(expected);
  });
});

test('an order alone, by its status: first seen, and after it was offered', () => {
  const statuses = ['draft', 'active', 'on-hold', 'revoked', 'completed', 'entered-in-error', 'unknown'];
  const alone = { isWithdrawn: false, performer: 'ours', isPartOfOurs: false, isPassedOn: false } as const;
  const readings = statuses.map((status) => [
    status,
    said(readBegun({ ...alone, order: { ...order, status } })),
    said(readBegun({ ...alone, order: { ...order, status }, offered: { task: undefined, order: 'active' } })),
  ]);
  expect(readings).toEqual([
    ['draft', 'keep inbound-draft', 'ask inbound-order-moved'],
    ['active', 'offer received', 'offer received'],
    ['on-hold', 'keep inbound-order-moved', 'ask inbound-order-moved'],
    ['revoked', 'keep inbound-cancelled', 'withdraw inbound-cancelled'],
    ['completed', 'keep inbound-ended', 'ask inbound-order-moved'],
    ['entered-in-error', 'keep inbound-cancelled', 'withdraw inbound-cancelled'],
    ['unknown', 'ask inbound-status', 'ask inbound-status'],
  ]);
});

describe('the order of a referral that we have answered', () => {
  test.each([['yesterday'], ['2026-02-30T25:00:00Z'], ['2026-03-02'], [undefined]])(
    'revoked at %s: the story of the referral gets a time that exists',
    (lastUpdated) => {
      const reading = readOrder({
        referral: { status: 'accepted', updatedAt: '2026-03-01T10:00:00Z' },
        order: { ...order, status: 'revoked', meta: { ...(lastUpdated && { lastUpdated }) } },
        before: 'active',
        by: undefined,
        itemId: (text) => text,
      });
      expect(reading).toMatchObject({ patch: { history: [{ at: '2026-03-01T10:00:00Z' }] } });
    },
  );

  const read = (known: string, status: string) => {
    const reading = readOrder({
      referral: { status: known, history: [], updatedAt: '2026-03-01T10:00:00Z' },
      order: { ...order, status },
      before: 'active',
      by: undefined,
      itemId: (text) => text,
    });
    return reading.kind === 'patch'
      ? `patch ${reading.patch.status}`
      : reading.kind === 'decision'
        ? [
            reading.why,
            ...objectsAt(reading.patch, 'history').map(({ status, reason }) => `${status}: ${reason}`),
          ].join(', ')
        : reading.kind;
  };

  test.each([
    ['accepted', 'revoked', 'patch cancelled'],
    ['accepted', 'entered-in-error', 'patch entered-in-error'],
    ['accepted', 'on-hold', 'order-moved, accepted: The order is on hold.'],
    ['completed', 'on-hold', 'order-moved'],
    ['accepted', 'completed', 'order-moved'],
    ['completed', 'completed', 'unchanged'],
    ['completed', 'revoked', 'left-final-state'],
    ['declined', 'revoked', 'unchanged'],
    ['failed', 'revoked', 'unchanged'],
    ['cancelled', 'revoked', 'unchanged'],
  ])('%s here, and %s there: %s', (known, status, expected) => {
    expect(read(known, status)).toBe(expected);
  });
});
