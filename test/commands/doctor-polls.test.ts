// What `doctor` says of polling.

import { expect, test } from '@jest/globals';
import { pollLines } from '../../src/commands/doctor-polls.ts';

const report = {
  requestsPerDay: 240_000,
  mostPerDay: 576_000,
  cycleSeconds: 90,
  tiers: [],
  notAsked: [],
  unreadable: [],
};

test('what asking takes of the rate, how long a round really takes, what is not asked, what could not be read', () => {
  expect(
    pollLines({
      ...report,
      tiers: [
        { name: 'all patients', patients: 0, polls: 2, everySeconds: 60, realSeconds: 61, late: 0 },
        { name: 'open case', patients: 10_000, polls: 30_000, everySeconds: 3600, realSeconds: 4512, late: 12 },
        { name: 'others', patients: 7, polls: 21, everySeconds: 86_400, realSeconds: null, late: 0 },
      ],
      notAsked: [{ resourceType: 'Task', reason: { code: 'x', text: 'The server does not declare it.' } }],
      unreadable: [{ resourceType: 'Goal', key: 'g7', reason: { code: 'y', text: 'It is too large.' }, since: '' }],
    }),
  ).toEqual([
    '  polls need 240000 requests a day; a third of the rate is 576000, and gets once through all of them in 90 s',
    '    all patients                  2 searches      every 60 s    really 61 s',
    '    open case     10000 patients  30000 searches  every 60 min  really 75 min     12 late',
    '    others        7 patients      21 searches     every 24 h    not measured yet',
    '    not asked: The server does not declare it.',
    '  ! Goal/g7: It is too large.',
  ]);
});

test('that they need more than there is', () => {
  expect(pollLines({ ...report, requestsPerDay: 720_000 })).toEqual([
    '  polls need 720000 requests a day; a third of the rate is 576000, and gets once through all of them in 90 s',
    '  ! polls need more than that: all are made, less often. Raise rateLimit or poll.every.',
  ]);
});

test('nothing of a connection that is switched off', () => {
  expect(pollLines(undefined)).toEqual([]);
});

test('of Subscriptions it is said how each stands, why there is none, and what none told of', () => {
  const one = { status: null, endsAt: null, heardAt: null, missedAt: null, reason: null };
  const why = { code: 'subscription-not-made', text: 'No Subscription for Goal is kept on the server.' };
  const lines = pollLines({
    ...report,
    subscriptions: [
      { ...one, resourceType: 'Goal', reason: why },
      {
        ...one,
        resourceType: 'Task',
        status: 'active',
        endsAt: '2026-03-09T10:00:00.000Z',
        heardAt: '2026-03-02T10:00:00.000Z',
        missedAt: '2026-03-02T11:00:00.000Z',
      },
    ],
  });
  expect(lines.slice(-3)).toEqual([
    '    Subscription to Goal: No Subscription for Goal is kept on the server.',
    '    notified of Task: active until 2026-03-09T10:00:00.000Z, last heard 2026-03-02T10:00:00.000Z',
    '  ! a poll found a change of Task at 2026-03-02T11:00:00.000Z that no notification told of',
  ]);
});
