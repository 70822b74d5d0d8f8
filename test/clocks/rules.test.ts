// Each rule as named cases. Times with -05:00 and -04:00 are New York's, where clocks are put forward on 2026-03-08 and back on 2026-11-01.

import { describe, expect, test } from '@jest/globals';
import { type ClockRecord, clocksOf } from '../../src/clocks/clocks.ts';
import type { ReferralRecord } from '../../src/records/records.ts';
import {
  aCarePlan,
  aCase,
  aClient,
  aCoverage,
  aGoal,
  aHospitalStay,
  aNeed,
  aNote,
  anAppointment,
  anIncident,
  aReferral,
  aSafetyPlan,
} from '../builders.ts';
import { caseWith, newYork, only, seen, shown } from './facts.ts';

type History = ReferralRecord['history'];

const sent = '2026-02-04T10:00:00-05:00';
const history = (...moves: [status: History[number]['status'], at: string][]): History =>
  moves.map(([status, at], index) => ({ id: `h${index}`, status, at }));
const referral = (overrides: Partial<ReferralRecord> = {}) => seen('referral', aReferral(overrides));
const incoming = (overrides: Partial<ReferralRecord> = {}) =>
  referral({
    direction: 'incoming',
    receivedAt: sent,
    sentAt: '2026-02-03T10:00:00-05:00',
    status: 'received',
    ...overrides,
  });

type Case = [what: string, records: readonly ClockRecord[], now: string, expected: object | undefined];

function cases(rule: string, rows: readonly Case[]): void {
  test.each(rows)('%s', (_what, records, now, expected) => {
    expect(shown(caseWith(...records), rule, now)).toEqual(
      expected === undefined ? [] : [expect.objectContaining(expected)],
    );
  });
}

describe('referral follow-up, 48 hours', () => {
  const followUps: ReferralRecord['followUps'] = [
    { id: 'f1', dueAt: '2026-02-06T10:00:00-05:00' },
    { id: 'f2', doneAt: '2026-02-05T16:00:00-05:00', outcome: 'left-message' },
  ];
  cases('referral-follow-up-48h', [
    [
      'runs from when it was sent',
      [referral()],
      '2026-02-04T20:00:00Z',
      { state: 'running', due: '2026-02-06T15:00:00Z' },
    ],
    ['is due soon in the last 12 hours', [referral()], '2026-02-06T03:00:00Z', { state: 'due-soon' }],
    ['runs until a second before them', [referral()], '2026-02-06T02:59:59Z', { state: 'running' }],
    [
      'is breached at its limit',
      [referral()],
      '2026-02-06T15:00:00Z',
      { state: 'breached', stopped: null, code: 'clock-breached' },
    ],
    ['is not breached a second before', [referral()], '2026-02-06T14:59:59Z', { state: 'due-soon' }],
    [
      'is met by a follow-up whatever came of it',
      [referral({ followUps })],
      '2026-03-01T00:00:00Z',
      { state: 'met', stopped: '2026-02-05T21:00:00Z' },
    ],
    [
      'is met by a decision exactly at the limit',
      [referral({ decidedAt: '2026-02-06T10:00:00-05:00' })],
      '2026-03-01T00:00:00Z',
      { state: 'met' },
    ],
    [
      'is breached and over with a decision a second later',
      [referral({ decidedAt: '2026-02-06T10:00:01-05:00' })],
      '2026-03-01T00:00:00Z',
      { state: 'breached', stopped: '2026-02-06T15:00:01Z', code: 'clock-stopped-late' },
    ],
    [
      'is met by a waiting list',
      [referral({ status: 'waitlisted', waitlist: { since: '2026-02-05T10:00:00-05:00' } })],
      '2026-03-01T00:00:00Z',
      { state: 'met' },
    ],
    [
      'is met by a status that the partner set',
      [referral({ status: 'accepted', history: history(['sent', sent], ['accepted', '2026-02-05T09:00:00-05:00']) })],
      '2026-03-01T00:00:00Z',
      { state: 'met', stopped: '2026-02-05T14:00:00Z' },
    ],
    [
      'is not met by a receipt',
      [referral({ status: 'received', history: history(['sent', sent], ['received', '2026-02-04T10:00:05-05:00']) })],
      '2026-03-01T00:00:00Z',
      { state: 'breached' },
    ],
    [
      'is void when cancelled before the limit',
      [referral({ status: 'cancelled', history: history(['sent', sent], ['cancelled', '2026-02-05T10:00:00-05:00']) })],
      '2026-03-01T00:00:00Z',
      { state: 'void', code: 'clock-void' },
    ],
    [
      'stays breached when cancelled after it',
      [referral({ status: 'cancelled', history: history(['sent', sent], ['cancelled', '2026-02-09T10:00:00-05:00']) })],
      '2026-03-01T00:00:00Z',
      { state: 'breached', stopped: '2026-02-09T15:00:00Z' },
    ],
    [
      'stays met when cancelled afterwards',
      [
        referral({
          followUps,
          status: 'cancelled',
          history: history(['sent', sent], ['cancelled', '2026-02-05T20:00:00-05:00']),
        }),
      ],
      '2026-03-01T00:00:00Z',
      { state: 'met' },
    ],
    [
      'is void when entered in error, though breached',
      [referral({ status: 'entered-in-error' })],
      '2026-03-01T00:00:00Z',
      { state: 'void' },
    ],
    [
      'is void when withdrawn',
      [seen('referral', aReferral(), { isWithdrawn: true })],
      '2026-03-01T00:00:00Z',
      { state: 'void' },
    ],
    ['is no clock of a draft', [referral({ status: 'draft' })], '2026-03-01T00:00:00Z', undefined],
    ['is no clock of an incoming referral', [incoming()], '2026-03-01T00:00:00Z', undefined],
    [
      'counts nothing that lies before the start, and says so',
      [referral({ decidedAt: '2026-02-04T09:59:59-05:00' })],
      '2026-02-05T00:00:00Z',
      { state: 'running', code: 'clock-times-crossed' },
    ],
  ]);
});

describe('first contact, 72 hours', () => {
  const reached = { at: '2026-02-06T10:00:00-05:00', outcome: 'reached' } as const;
  cases('first-contact-72h', [
    [
      'runs from when an outgoing referral was sent',
      [referral()],
      '2026-02-05T00:00:00Z',
      { state: 'running', due: '2026-02-07T15:00:00Z', contact: null },
    ],
    [
      'runs from when an incoming one was received',
      [incoming()],
      '2026-02-05T00:00:00Z',
      { due: '2026-02-07T15:00:00Z' },
    ],
    [
      'is met by a client who was reached',
      [referral({ firstContact: reached })],
      '2026-03-01T00:00:00Z',
      { state: 'met', contact: 'reached' },
    ],
    [
      'is not met by a message that was left, which is a try',
      [referral({ firstContact: { ...reached, outcome: 'left-message' } })],
      '2026-02-07T00:00:00Z',
      { state: 'due-soon', contact: 'attempted' },
    ],
    [
      'shows a contact without outcome as implied',
      [referral({ firstContact: { at: reached.at } })],
      '2026-03-01T00:00:00Z',
      { state: 'breached', contact: 'implied' },
    ],
    [
      'is not met by acceptance',
      [referral({ status: 'accepted', history: history(['sent', sent], ['accepted', '2026-02-04T11:00:00-05:00']) })],
      '2026-03-01T00:00:00Z',
      { state: 'breached', contact: null },
    ],
    ...(['in-progress', 'completed'] as const).map(
      (status): Case => [
        `shows ${status} without evidence as implied, not met`,
        [
          referral({
            status,
            history: history(['sent', sent], [status, '2026-02-05T11:00:00-05:00']),
            outcome: { code: 'other' },
          }),
        ],
        '2026-03-01T00:00:00Z',
        { state: 'breached', contact: 'implied' },
      ],
    ),
    [
      'is met by an appointment of the referral to which the client came',
      [
        referral(),
        seen(
          'appointment',
          anAppointment({ referralId: 'referral-pantry', status: 'kept', startsAt: '2026-02-06T09:00:00-05:00' }),
        ),
      ],
      '2026-03-01T00:00:00Z',
      { state: 'met', stopped: '2026-02-06T14:00:00Z' },
    ],
    [
      'is not met by one that is only booked',
      [
        referral(),
        seen('appointment', anAppointment({ referralId: 'referral-pantry', startsAt: '2026-02-06T09:00:00-05:00' })),
      ],
      '2026-03-01T00:00:00Z',
      { state: 'breached' },
    ],
    [
      'of a partner is not met by a visit of ours',
      [referral(), seen('appointment', anAppointment({ status: 'kept', startsAt: '2026-02-06T09:00:00-05:00' }))],
      '2026-03-01T00:00:00Z',
      { state: 'breached' },
    ],
    [
      'of ours is met by a visit of ours',
      [incoming(), seen('appointment', anAppointment({ status: 'arrived', startsAt: '2026-02-06T09:00:00-05:00' }))],
      '2026-03-01T00:00:00Z',
      { state: 'met' },
    ],
    [
      'of ours is met by a note that tells of a talk with the client',
      [incoming(), seen('note', aNote({ occurredAt: '2026-02-05T09:00:00-05:00' }))],
      '2026-03-01T00:00:00Z',
      { state: 'met', stopped: '2026-02-05T14:00:00Z' },
    ],
    [
      'of ours is not met by a note about another referral',
      [incoming(), seen('note', aNote({ occurredAt: '2026-02-05T09:00:00-05:00', about: { referralId: 'other' } }))],
      '2026-03-01T00:00:00Z',
      { state: 'breached' },
    ],
    ...(
      [
        ['with a caregiver', { mode: 'phone', with: 'caregiver', outcome: 'reached' }],
        ['in which nobody answered', { mode: 'phone', with: 'client', outcome: 'no-answer' }],
      ] as const
    ).map(
      ([what, contact]): Case => [
        `of ours is not met by a call ${what}`,
        [incoming(), seen('note', aNote({ occurredAt: '2026-02-05T09:00:00-05:00', contact }))],
        '2026-03-01T00:00:00Z',
        { state: 'breached' },
      ],
    ),
    [
      'of a partner is not met by a note of ours',
      [
        referral(),
        seen('note', aNote({ occurredAt: '2026-02-05T09:00:00-05:00', about: { referralId: 'referral-pantry' } })),
      ],
      '2026-03-01T00:00:00Z',
      { state: 'breached' },
    ],
    [
      'is paused while the referral cannot be delivered',
      [
        referral({
          status: 'undeliverable',
          history: history(['sent', sent], ['undeliverable', '2026-02-04T12:00:00-05:00']),
        }),
      ],
      '2026-03-01T00:00:00Z',
      { state: 'running', due: null, paused: '2026-02-04T17:00:00Z', code: 'clock-paused' },
    ],
    [
      'goes on where it was when it can be',
      [
        referral({
          history: history(
            ['sent', sent],
            ['undeliverable', '2026-02-04T12:00:00-05:00'],
            ['sent', '2026-02-05T12:00:00-05:00'],
          ),
        }),
      ],
      '2026-02-05T20:00:00Z',
      { state: 'running', due: '2026-02-08T15:00:00Z', paused: null },
    ],
    [
      'is void when the partner declines',
      [
        referral({
          status: 'declined',
          declineReason: 'no-capacity',
          history: history(['sent', sent], ['declined', '2026-02-05T12:00:00-05:00']),
        }),
      ],
      '2026-03-01T00:00:00Z',
      { state: 'void' },
    ],
    [
      'is void when the client declines',
      [referral({ firstContact: { ...reached, outcome: 'client-declined' } })],
      '2026-03-01T00:00:00Z',
      { state: 'void' },
    ],
  ]);

  test('is void when the client died before the limit, not after it', () => {
    const stateWith = (deceasedOn: string) =>
      shown(
        { ...caseWith(referral()), client: aClient({ deceasedOn }) },
        'first-contact-72h',
        '2026-03-01T00:00:00Z',
      )[0]?.state;
    expect([stateWith('2026-02-07'), stateWith('2026-02-08')]).toEqual(['void', 'breached']);
  });
});

describe('answer to asking to cancel, 48 hours', () => {
  const cancelRequest = { at: '2026-02-10T10:00:00-05:00' };
  cases('cancel-answer-48h', [
    ['is no clock unless it was asked', [referral()], '2026-03-01T00:00:00Z', undefined],
    ['is breached when nobody answers', [referral({ cancelRequest })], '2026-02-12T15:00:00Z', { state: 'breached' }],
    [
      'runs for us too where we perform',
      [referral({ direction: 'incoming', receivedAt: sent, cancelRequest })],
      '2026-02-12T15:00:00Z',
      { state: 'breached' },
    ],
    [
      'is met by an answer',
      [referral({ cancelRequest: { ...cancelRequest, answeredAt: '2026-02-11T10:00:00-05:00', answer: 'completed' } })],
      '2026-03-01T00:00:00Z',
      { state: 'met' },
    ],
    [
      'is met by the end of the referral',
      [
        referral({
          cancelRequest,
          status: 'cancelled',
          history: history(['sent', sent], ['cancelled', '2026-02-11T10:00:00-05:00']),
        }),
      ],
      '2026-03-01T00:00:00Z',
      { state: 'met' },
    ],
  ]);
});

describe('signed note, 24 hours', () => {
  const draft = aNote({ status: 'draft', signedAt: undefined });
  cases('note-24h', [
    [
      'runs from when it happened',
      [seen('note', draft)],
      '2026-02-10T20:00:00Z',
      { state: 'running', due: '2026-02-11T19:00:00Z' },
    ],
    ['is due soon in the last 4 hours', [seen('note', draft)], '2026-02-11T15:00:00Z', { state: 'due-soon' }],
    ['is breached after a day', [seen('note', draft)], '2026-02-11T19:00:00Z', { state: 'breached' }],
    ['is met by the signature', [seen('note', aNote())], '2026-03-01T00:00:00Z', { state: 'met' }],
    [
      'is void when entered in error',
      [seen('note', aNote({ status: 'entered-in-error' }))],
      '2026-03-01T00:00:00Z',
      { state: 'void' },
    ],
  ]);

  test('is its author’s to sign', () => {
    const clocks = clocksOf(caseWith(seen('note', aNote({ authorId: 'worker-ines' }))), 0);
    expect(only(clocks, 'note-24h').worker).toBe('worker-ines');
  });
});

describe('documented incident, 4 hours', () => {
  cases('incident-4h', [
    [
      'runs from when it was discovered',
      [seen('incident', anIncident({ documentedAt: undefined }))],
      '2026-02-12T15:00:00Z',
      { state: 'running', due: '2026-02-12T18:40:00Z' },
    ],
    [
      'is due soon in the last hour',
      [seen('incident', anIncident({ documentedAt: undefined }))],
      '2026-02-12T17:40:00Z',
      { state: 'due-soon' },
    ],
    ['is met by the documentation', [seen('incident', anIncident())], '2026-03-01T00:00:00Z', { state: 'met' }],
    [
      'is breached by one that is late',
      [seen('incident', anIncident({ documentedAt: '2026-02-12T13:40:01-05:00' }))],
      '2026-03-01T00:00:00Z',
      { state: 'breached', stopped: '2026-02-12T18:40:01Z' },
    ],
  ]);
});

describe('review of the care plan', () => {
  const activatedAt = '2026-02-04T11:00:00-05:00';
  const plan = (overrides: Parameters<typeof aCarePlan>[0] = {}) =>
    seen('carePlan', aCarePlan({ activatedAt, ...overrides }));
  const stay = (overrides: Parameters<typeof aHospitalStay>[0]) => seen('hospitalStay', aHospitalStay(overrides));
  const since = (date: string) => ({ statusSince: `${date}T12:00:00-05:00` });
  const march6 = '2026-03-07T04:59:59.999Z';

  cases('plan-review-30d', [
    [
      'is due at the end of the 30th day after activation',
      [plan()],
      '2026-02-10T00:00:00Z',
      { state: 'running', due: march6 },
    ],
    ['is due soon in the last week', [plan()], '2026-02-28T12:00:00Z', { state: 'due-soon' }],
    ['is breached when that day is over', [plan()], '2026-03-07T05:00:00Z', { state: 'breached' }],
    [
      'counts from the day on which it starts where nobody says when it was activated',
      [plan({ activatedAt: undefined })],
      '2026-02-10T00:00:00Z',
      { due: march6 },
    ],
    [
      'has the interval that the plan names',
      [plan({ reviewEveryDays: 14 })],
      '2026-02-10T00:00:00Z',
      { due: '2026-02-19T04:59:59.999Z' },
    ],
    [
      'is due 7 days after a major event',
      [plan({ majorEvents: [{ id: 'm1', kind: 'housing-loss', knownAt: '2026-02-10T12:00:00-05:00' }] })],
      '2026-02-11T00:00:00Z',
      { due: '2026-02-18T04:59:59.999Z' },
    ],
    [
      'is never due later because of one',
      [plan({ majorEvents: [{ id: 'm1', kind: 'crisis', knownAt: '2026-03-05T12:00:00-05:00' }] })],
      '2026-02-11T00:00:00Z',
      { due: march6 },
    ],
    [
      'is due 7 days after a grave incident',
      [plan(), seen('incident', anIncident({ severity: 'sentinel' }))],
      '2026-02-13T00:00:00Z',
      { due: '2026-02-20T04:59:59.999Z' },
    ],
    ['but not after a moderate one', [plan(), seen('incident', anIncident())], '2026-02-13T00:00:00Z', { due: march6 }],
    [
      'is due 7 days after a new safety plan',
      [plan(), seen('safetyPlan', aSafetyPlan())],
      '2026-02-14T00:00:00Z',
      { due: '2026-02-21T04:59:59.999Z' },
    ],
    [
      'is due 7 days after housing was lost',
      [plan(), seen('need', aNeed({ domain: 'homelessness', identifiedOn: '2026-02-10' }))],
      '2026-02-11T00:00:00Z',
      { due: '2026-02-18T04:59:59.999Z' },
    ],
    [
      'but not because of homelessness from which the plan began, of one entered in error, or of another need',
      [
        plan(),
        seen('need', aNeed({ domain: 'homelessness', identifiedOn: '2026-02-04' })),
        seen('need', aNeed({ domain: 'homelessness', identifiedOn: '2026-02-10', status: 'entered-in-error' })),
        seen('need', aNeed({ domain: 'housing-instability', identifiedOn: '2026-02-10' })),
      ],
      '2026-02-11T00:00:00Z',
      { due: march6 },
    ],
    [
      'is due 7 days after a goal was cancelled, since it was',
      [
        plan(),
        seen('goal', aGoal({ status: 'cancelled', updatedAt: '2026-02-20T09:00:00-05:00' }), since('2026-02-10')),
      ],
      '2026-02-21T00:00:00Z',
      { due: '2026-02-18T04:59:59.999Z' },
    ],
    [
      'is due 7 days after a goal was found to be out of reach, by its progress, the last time that it was',
      [
        plan(),
        seen(
          'goal',
          aGoal({
            achievement: 'not-attainable',
            progress: [
              { id: 'p1', at: '2026-02-06T09:00:00-05:00', achievement: 'not-attainable' },
              { id: 'p2', at: '2026-02-08T09:00:00-05:00', achievement: 'improving' },
              { id: 'p3', at: '2026-02-10T09:00:00-05:00', achievement: 'not-attainable' },
              { id: 'p4', at: '2026-02-12T09:00:00-05:00', note: 'Agreed with her' },
              { id: 'p5', at: '2026-02-13T09:00:00-05:00', achievement: 'not-attainable' },
            ],
          }),
          since('2026-02-15'),
        ),
      ],
      '2026-02-21T00:00:00Z',
      { due: '2026-02-18T04:59:59.999Z' },
    ],
    [
      'but not because of a goal that was completed, rejected, or entered in error',
      [
        plan(),
        seen('goal', aGoal({ status: 'completed', achievement: 'not-achieved' }), since('2026-02-10')),
        seen('goal', aGoal({ status: 'rejected' }), since('2026-02-10')),
        seen('goal', aGoal({ status: 'entered-in-error', achievement: 'not-attainable' }), since('2026-02-10')),
      ],
      '2026-02-21T00:00:00Z',
      { due: march6 },
    ],
    [
      'is due 7 days after a coverage ended, once that is known',
      [plan(), seen('coverage', aCoverage({ status: 'ended', endsOn: '2026-02-08' }), since('2026-02-10'))],
      '2026-02-11T00:00:00Z',
      { due: '2026-02-18T04:59:59.999Z' },
    ],
    [
      'counts the day of an end that was told ahead',
      [plan(), seen('coverage', aCoverage({ status: 'ended', endsOn: '2026-02-10' }), since('2026-02-06'))],
      '2026-02-11T00:00:00Z',
      { due: '2026-02-18T04:59:59.999Z' },
    ],
    [
      'is due 7 days after a coverage was denied',
      [plan(), seen('coverage', aCoverage({ status: 'denied', startsOn: undefined }), since('2026-02-10'))],
      '2026-02-11T00:00:00Z',
      { due: '2026-02-18T04:59:59.999Z' },
    ],
    [
      'is due 7 days after a coverage was granted, also for the time before',
      [plan(), seen('coverage', aCoverage({ startsOn: '2026-01-01' }), { ...since('2026-02-10'), hasMoved: true })],
      '2026-02-11T00:00:00Z',
      { due: '2026-02-18T04:59:59.999Z' },
    ],
    [
      'but not because of a coverage from which the plan began, one that was entered late, or one that is asked for',
      [
        plan(),
        seen('coverage', aCoverage({ startsOn: undefined }), since('2026-02-02')),
        seen('coverage', aCoverage(), since('2026-02-10')),
        seen('coverage', aCoverage({ status: 'ended', endsOn: '2026-01-31' }), since('2026-02-10')),
        seen('coverage', aCoverage({ status: 'pending' }), since('2026-02-10')),
      ],
      '2026-02-11T00:00:00Z',
      { due: march6 },
    ],
    [
      'is paused while the client is in hospital',
      [plan(), stay({ admittedAt: '2026-02-15T22:10:00-05:00' })],
      '2026-02-17T00:00:00Z',
      { state: 'running', due: null, paused: '2026-02-16T03:10:00Z' },
    ],
    [
      'is due 7 days after a discharge',
      [plan(), stay({ dischargedAt: '2026-02-18T10:00:00-05:00', disposition: 'home' })],
      '2026-02-19T00:00:00Z',
      // The admission, known on the 16th, makes it due on the 23rd already.
      { due: '2026-02-24T04:59:59.999Z' },
    ],
    [
      'moves to 7 days after the discharge where the client is in hospital on the day',
      [
        plan(),
        stay({
          admittedAt: '2026-02-15T22:10:00-05:00',
          dischargedAt: '2026-02-25T10:00:00-05:00',
          disposition: 'home',
        }),
      ],
      '2026-02-26T00:00:00Z',
      { due: '2026-03-05T04:59:59.999Z' },
    ],
    [
      'moves also for a stay that ends on that day',
      [
        plan(),
        stay({
          admittedAt: '2026-02-15T22:10:00-05:00',
          dischargedAt: '2026-02-23T09:00:00-05:00',
          disposition: 'home',
        }),
      ],
      '2026-02-26T00:00:00Z',
      { due: '2026-03-03T04:59:59.999Z' },
    ],
    [
      'is void when the plan ended before',
      [seen('carePlan', aCarePlan({ status: 'completed' }), { statusSince: '2026-02-20T10:00:00-05:00' })],
      '2026-04-01T00:00:00Z',
      { state: 'void' },
    ],
    [
      'stays breached when it ended afterwards',
      [seen('carePlan', aCarePlan({ status: 'completed' }), { statusSince: '2026-03-20T10:00:00-04:00' })],
      '2026-04-01T00:00:00Z',
      { state: 'breached', stopped: '2026-03-20T14:00:00Z' },
    ],
    [
      'is void when entered in error',
      [plan({ status: 'entered-in-error' })],
      '2026-04-01T00:00:00Z',
      { state: 'void' },
    ],
    ['is no clock of a draft', [plan({ status: 'draft' })], '2026-04-01T00:00:00Z', undefined],
  ]);

  test('each review meets one clock and starts the next', () => {
    const reviews = [
      { id: 'r2', at: '2026-03-25T10:00:00-04:00' },
      { id: 'r1', at: '2026-03-06T18:00:00-05:00' },
    ];
    const clocks = clocksOf(caseWith(plan({ reviews })), Date.parse('2026-04-10T00:00:00Z')).filter(
      ({ rule }) => rule === 'plan-review-30d',
    );
    expect(clocks.map(({ part, state, stoppedAt }) => [part, state, stoppedAt])).toEqual([
      ['', 'met', Date.parse('2026-03-06T18:00:00-05:00')],
      ['r1', 'met', Date.parse('2026-03-25T10:00:00-04:00')],
      ['r2', 'running', null],
    ]);
  });

  test('a review answers the events before it, not those after it', () => {
    const majorEvents = [
      { id: 'm1', kind: 'crisis' as const, knownAt: '2026-02-10T12:00:00-05:00' },
      { id: 'm2', kind: 'arrest' as const, knownAt: '2026-02-20T12:00:00-05:00' },
    ];
    const reviews = [{ id: 'r1', at: '2026-02-12T10:00:00-05:00', kind: 'event' as const }];
    expect(shown(caseWith(plan({ reviews, majorEvents })), 'plan-review-30d', '2026-02-21T06:00:00Z')).toMatchObject([
      { state: 'met', due: '2026-02-18T04:59:59.999Z' },
      { state: 'due-soon', due: '2026-02-28T04:59:59.999Z' },
    ]);
  });

  test('is void when the case was closed before', () => {
    const closed = aCase({ status: 'closed', closedOn: '2026-03-06', closeReason: 'goals-met' });
    const facts = { records: [seen('case', closed), plan()], zone: newYork };
    expect(shown(facts, 'plan-review-30d', '2026-04-01T00:00:00Z')).toMatchObject([{ state: 'void' }]);
  });
});

describe('follow-up after discharge, 7 days', () => {
  const home = { dischargedAt: '2026-02-20T10:00:00-05:00', disposition: 'home' } as const;
  const stay = (overrides: Parameters<typeof aHospitalStay>[0]) => seen('hospitalStay', aHospitalStay(overrides));
  cases('discharge-follow-up-7d', [
    ['is no clock of an open stay', [stay({})], '2026-03-01T00:00:00Z', undefined],
    [
      'is due at the end of the 7th day',
      [stay(home)],
      '2026-02-21T00:00:00Z',
      { state: 'running', due: '2026-02-28T04:59:59.999Z' },
    ],
    [
      'is met on that day',
      [stay({ ...home, followUp: { doneAt: '2026-02-27T23:30:00-05:00' } })],
      '2026-03-02T00:00:00Z',
      { state: 'met' },
    ],
    [
      'is breached on the next',
      [stay({ ...home, followUp: { doneAt: '2026-02-28T00:00:00-05:00' } })],
      '2026-03-02T00:00:00Z',
      { state: 'breached' },
    ],
    [
      'is void when the client died',
      [stay({ ...home, disposition: 'deceased' })],
      '2026-03-02T00:00:00Z',
      { state: 'void' },
    ],
  ]);
});

describe('time', () => {
  const noteAt = (occurredAt: string) =>
    caseWith(seen('note', aNote({ occurredAt, status: 'draft', signedAt: undefined })));
  const dueOf = (occurredAt: string, options = {}) =>
    shown(noteAt(occurredAt), 'note-24h', occurredAt, options)[0]?.due;
  const rules = ['note-24h'] as const;
  const office = { days: [1, 2, 3, 4, 5], from: 9 * 60, to: 17 * 60, holidays: ['2026-12-25', '2027-01-01'], rules };

  test('72 hours stay 72 hours when clocks are put forward, and back', () => {
    const due = (sentAt: string) => shown(caseWith(referral({ sentAt })), 'first-contact-72h', sentAt)[0]?.due;
    expect(due('2026-03-07T10:00:00-05:00')).toBe('2026-03-10T15:00:00Z');
    expect(due('2026-10-31T10:00:00-04:00')).toBe('2026-11-03T14:00:00Z');
  });

  test('days are days of the zone, though one of them has 23 or 25 hours', () => {
    const due = (dischargedAt: string) =>
      shown(
        caseWith(seen('hospitalStay', aHospitalStay({ dischargedAt, disposition: 'home' }))),
        'discharge-follow-up-7d',
        dischargedAt,
      )[0]?.due;
    expect(due('2026-03-05T10:00:00-05:00')).toBe('2026-03-13T03:59:59.999Z');
    expect(due('2026-10-30T10:00:00-04:00')).toBe('2026-11-07T04:59:59.999Z');
  });

  test('business hours: 24 of them are three days of eight', () => {
    expect(dueOf('2026-02-10T14:00:00-05:00', { businessHours: office })).toBe('2026-02-13T19:00:00Z');
  });

  test('business hours: weekends and holidays do not count, nor does the turn of the year', () => {
    expect(dueOf('2026-12-23T15:00:00-05:00', { businessHours: office })).toBe('2026-12-29T20:00:00Z');
    expect(dueOf('2026-12-31T16:00:00-05:00', { businessHours: office })).toBe('2027-01-06T21:00:00Z');
  });

  test('business hours: what happens at night counts from the next opening', () => {
    expect(dueOf('2026-02-10T22:00:00-05:00', { businessHours: office })).toBe('2026-02-13T22:00:00Z');
  });

  test('business hours: open round the clock, a day with a change of clocks counts 23 or 25 hours', () => {
    const always = { days: [1, 2, 3, 4, 5, 6, 7], from: 0, to: 1440, holidays: [], rules };
    expect(dueOf('2026-03-07T12:00:00-05:00', { businessHours: always })).toBe('2026-03-08T17:00:00Z');
    expect(dueOf('2026-10-31T12:00:00-04:00', { businessHours: always })).toBe('2026-11-01T16:00:00Z');
  });

  test('business hours: an opening in the skipped hour is as much later, one in the doubled hour is the first', () => {
    const night = { days: [7], from: 2 * 60 + 30, to: 1440, holidays: [], rules };
    // 21 h 30 min of 8 March are 20 h 30 min from 3:30 on; the other 3 h 30 min are on the 15th.
    expect(dueOf('2026-03-07T12:00:00-05:00', { businessHours: night })).toBe('2026-03-15T10:00:00Z');
    const doubled = { ...night, from: 60 + 30 };
    // From 1:30 daylight time on, 1 November has 23 h 30 min; half an hour is left for the 8th.
    expect(dueOf('2026-10-31T12:00:00-04:00', { businessHours: doubled })).toBe('2026-11-08T07:00:00Z');
  });

  test('rules that business hours are not for count all hours', () => {
    expect(shown(caseWith(referral()), 'first-contact-72h', sent, { businessHours: office })[0]?.due).toBe(
      '2026-02-07T15:00:00Z',
    );
  });
});

describe('who has to act', () => {
  test('the latest open primary worker, and the supervisor of the case', () => {
    const assignments = [
      {
        id: 'a1',
        workerId: 'worker-old',
        role: 'primary' as const,
        from: '2026-01-01T00:00:00Z',
        to: '2026-02-01T00:00:00Z',
      },
      { id: 'a2', workerId: 'worker-new', role: 'primary' as const, from: '2026-02-01T00:00:00Z' },
      { id: 'a3', workerId: 'worker-sup', role: 'supervisor' as const, from: '2026-01-01T00:00:00Z' },
    ];
    const facts = { records: [seen('case', aCase({ assignments })), referral()], zone: newYork };
    expect(only(clocksOf(facts, 0), 'first-contact-72h')).toMatchObject({
      worker: 'worker-new',
      supervisor: 'worker-sup',
    });
  });
});
