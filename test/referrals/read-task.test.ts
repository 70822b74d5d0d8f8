// What a Task that the other side moved means for our referral record, as requester (outgoing) and as performer (incoming).

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isObject, type JsonObject, objectsAt } from '../../src/json.ts';
import { parseRecord } from '../../src/records/records.ts';
import {
  readTask,
  type TaskObservation,
  type TaskReading,
  type TaskStatus,
  taskStatuses,
} from '../../src/referrals/referrals.ts';
import { aReferral, receivedAt } from '../builders.ts';

const at = '2026-02-20T15:00:00Z';

interface Sight {
  readonly referral?: JsonObject;
  readonly task?: JsonObject;
  readonly before?: string | undefined;
  readonly by?: string;
  readonly results?: Results;
}

type Results = NonNullable<TaskObservation['results']>;

/** Reads a Task as a partner's server would hold it: no owner, no businessStatus, whatever is not named is not there. */
function read({ referral = aReferral(), task = {}, before, by, results = [] }: Sight): TaskReading {
  const whole = { resourceType: 'Task', meta: { lastUpdated: at }, ...task };
  return readTask({
    referral,
    task: whole,
    before,
    by,
    results,
    itemId: (text) => `item-${text.replaceAll(/\W/g, '-')}`,
  });
}

/** In one word: 'nothing', 'decision: why', or the status that the source is offered, after the steps that it implies. */
function inWords(reading: TaskReading): string {
  if (reading.kind === 'unchanged') return 'nothing';
  if (reading.kind === 'asked') return 'our own question';
  if (reading.kind === 'decision') return `decision: ${reading.why}`;
  return [...reading.implied, String(reading.patch.status)].join(' > ');
}

function patchOf(reading: TaskReading): JsonObject {
  if (reading.kind !== 'patch') throw new Error(`the reading is ${inWords(reading)}, not a patch`);
  return reading.patch;
}

/** What the record would be like if it had followed the Task so far. */
const recordAt: Readonly<Record<TaskStatus, { outgoing: string; incoming: string }>> = {
  draft: { outgoing: 'draft', incoming: 'sent' },
  requested: { outgoing: 'sent', incoming: 'received' },
  received: { outgoing: 'received', incoming: 'received' },
  ready: { outgoing: 'accepted', incoming: 'accepted' },
  accepted: { outgoing: 'accepted', incoming: 'accepted' },
  rejected: { outgoing: 'declined', incoming: 'declined' },
  'in-progress': { outgoing: 'in-progress', incoming: 'in-progress' },
  'on-hold': { outgoing: 'on-hold', incoming: 'on-hold' },
  completed: { outgoing: 'completed', incoming: 'completed' },
  failed: { outgoing: 'failed', incoming: 'failed' },
  cancelled: { outgoing: 'cancelled', incoming: 'cancelled' },
  'entered-in-error': { outgoing: 'entered-in-error', incoming: 'entered-in-error' },
};

/** `patch(from): what it means` in the order of `taskStatuses`; `.` nothing, `F` out of a final state, `B` gone back, `P` the wrong party, a status a patch. */
const meanings = {
  '.': 'nothing',
  F: 'decision: left-final-state',
  B: 'decision: went-back',
  P: 'decision: wrong-party',
};

const asRequester = `
to:              draft requested received accepted               rejected           ready    cancelled in-progress                       on-hold                       failed               completed             entered-in-error
draft            P     .         received accepted               declined           accepted cancelled accepted>in-progress              accepted>on-hold              accepted>failed      accepted>completed    P
requested        P     .         received accepted               declined           accepted cancelled accepted>in-progress              accepted>on-hold              accepted>failed      accepted>completed    P
received         P     .         .        accepted               declined           accepted cancelled accepted>in-progress              accepted>on-hold              accepted>failed      accepted>completed    P
accepted         B     B         B        .                      declined           .        declined  in-progress                       on-hold                       failed               completed             P
ready            B     B         B        .                      declined           .        declined  in-progress                       on-hold                       failed               completed             P
in-progress      B     B         B        B                      cancelled          B        cancelled .                                 on-hold                       failed               completed             P
on-hold          B     B         B        B                      declined           B        declined  in-progress                       .                             failed               completed             P
rejected         F     F         F        F                      .                  F        F         F                                 F                             F                    F                     F
completed        F     F         F        F                      F                  F        F         F                                 F                             F                    .                     F
failed           F     F         F        F                      F                  F        F         F                                 F                             .                    F                     F
cancelled        F     F         F        F                      F                  F        .         F                                 F                             F                    F                     F
entered-in-error F     F         F        F                      F                  F        F         F                                 F                             F                    F                     .`;

const asPerformer = `
to:              draft requested received accepted               rejected           ready    cancelled in-progress                       on-hold                       failed               completed             entered-in-error
draft            .     received  received P                      P                  P        cancelled P                                 P                             P                    P                     entered-in-error
requested        .     .         .        P                      P                  P        cancelled P                                 P                             P                    P                     entered-in-error
received         .     .         .        P                      P                  P        cancelled P                                 P                             P                    P                     entered-in-error
accepted         B     B         B        .                      P                  .        cancelled P                                 P                             P                    P                     entered-in-error
ready            B     B         B        .                      P                  .        cancelled P                                 P                             P                    P                     entered-in-error
in-progress      B     B         B        P                      P                  P        cancelled .                                 P                             P                    P                     entered-in-error
on-hold          B     B         B        P                      P                  P        cancelled P                                 .                             P                    P                     entered-in-error
rejected         F     F         F        F                      .                  F        .         F                                 F                             F                    F                     entered-in-error
completed        F     F         F        F                      F                  F        F         F                                 F                             F                    .                     entered-in-error
failed           F     F         F        F                      F                  F        F         F                                 F                             .                    F                     entered-in-error
cancelled        F     F         F        F                      F                  F        .         F                                 F                             F                    F                     entered-in-error
entered-in-error F     F         F        F                      F                  F        F         F                                 F                             F                    F                     .`;

interface Cell {
  readonly from: TaskStatus;
  readonly to: TaskStatus;
  readonly means: string;
}

function cellsOf(table: string): Cell[] {
  const [columns = [], ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return taskStatuses.flatMap((from) =>
    taskStatuses.map((to) => {
      const mark = rows.find(([name]) => name === from)?.[columns.indexOf(to)] ?? 'missing';
      const word = Object.entries(meanings).find(([short]) => short === mark)?.[1];
      return { from, to, means: word ?? mark.replace('>', ' > ') };
    }),
  );
}

describe('what a move of the Task means', () => {
  test.each(cellsOf(asRequester))('we asked; the Task goes $from -> $to: $means', ({ from, to, means }) => {
    const referral = { ...aReferral(), status: recordAt[from].outgoing };
    expect(inWords(read({ referral, before: from, task: { status: to } }))).toBe(means);
  });

  test.each(cellsOf(asPerformer))('we were asked; the Task goes $from -> $to: $means', ({ from, to, means }) => {
    const referral = { ...aReferral(), direction: 'incoming', status: recordAt[from].incoming };
    expect(inWords(read({ referral, before: from, task: { status: to } }))).toBe(means);
  });

  test.each([
    ['a status that FHIR does not know', { status: 'done' }],
    ['a status in capitals', { status: 'Accepted' }],
    ['no status', {}],
    ['a status that is no text', { status: 3 }],
  ])('%s is for a person', (_title, task) => {
    expect(inWords(read({ task, before: 'requested' }))).toBe('decision: unknown-status');
  });

  test.each([undefined, 'nonsense'])(
    'a first look, known so far: %p, is read as one at what we requested',
    (before) => {
      expect(inWords(read({ task: { status: 'completed' }, before }))).toBe('accepted > completed');
    },
  );
});

describe('our own word, when the reply to it was lost', () => {
  test.each([
    ['outgoing', 'cancelled', 'accepted', 'cancelled'],
    ['outgoing', 'cancelled', 'requested', 'cancelled'],
    ['outgoing', 'entered-in-error', 'completed', 'entered-in-error'],
    ['incoming', 'accepted', 'requested', 'accepted'],
    ['incoming', 'in-progress', 'accepted', 'in-progress'],
    ['incoming', 'on-hold', 'accepted', 'on-hold'],
    ['incoming', 'completed', 'in-progress', 'completed'],
    ['incoming', 'failed', 'in-progress', 'failed'],
    ['incoming', 'declined', 'requested', 'rejected'],
    ['incoming', 'declined', 'accepted', 'cancelled'],
  ])('%s referral, ours says %s: the Task going %s -> %s is nothing new', (direction, status, before, to) => {
    const referral = { ...aReferral(), direction, status };
    expect(inWords(read({ referral, before, task: { status: to } }))).toBe('nothing');
  });
});

describe('a referral that we have withdrawn, while the Task does not say so yet', () => {
  test.each(['cancelled', 'entered-in-error'])('%s: no step of theirs opens it again', (status) => {
    const referral = { ...aReferral(), status };
    for (const step of ['received', 'ready', 'accepted', 'in-progress', 'on-hold'])
      expect(inWords(read({ referral, before: 'requested', task: { status: step } }))).toBe('nothing');
    const waiting = { status: 'requested', statusReason: { coding: [{ code: 'waitlisted' }], text: 'Soon.' } };
    expect(inWords(read({ referral, before: 'requested', task: waiting }))).toBe('nothing');
  });

  test('what they completed before that wins', () => {
    const referral = { ...aReferral(), status: 'cancelled' };
    expect(patchOf(read({ referral, before: 'in-progress', task: { status: 'completed' } }))).toMatchObject({
      status: 'completed',
    });
  });
});

describe('a referral that we asked to cancel', () => {
  const cancelRequest = { at: '2026-02-18T09:00:00-05:00', byId: 'worker-okafor', reason: 'Moved away.' };

  test.each([
    ['accepted', 'cancelled', 'cancelled'],
    ['on-hold', 'cancelled', 'cancelled'],
    ['in-progress', 'cancelled', 'cancelled'],
    ['in-progress', 'completed', 'completed'],
  ] as const)('while %s: %s is the answer to it, and no late refusal', (before, to, answer) => {
    const referral = { ...aReferral(), status: before, cancelRequest };
    expect(patchOf(read({ referral, before, task: { status: to } }))).toMatchObject({
      status: answer,
      cancelRequest: { answeredAt: at, answer },
    });
  });

  test('goes on as long as nobody answers', () => {
    const referral = { ...aReferral(), status: 'accepted', cancelRequest };
    const patch = patchOf(read({ referral, before: 'accepted', task: { status: 'in-progress' } }));
    expect(patch).toMatchObject({ status: 'in-progress' });
    expect(patch).not.toHaveProperty('cancelRequest');
  });

  test("a BSeR server's word that it was asked (5.2) is no beginning of work", () => {
    const system = 'http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS';
    const task = { status: 'in-progress', businessStatus: { coding: [{ system, code: '5.2' }] } };
    const referral = { ...aReferral(), status: 'accepted', cancelRequest };
    expect(inWords(read({ referral, before: 'accepted', task }))).toBe('our own question');
  });
});

describe('what comes with a status', () => {
  const local = (code: string) => ({ coding: [{ system: 'https://pantry.example.org/reasons', code }] });

  test.each<[string, JsonObject, JsonObject]>([
    ['accepted: when it was decided', { status: 'accepted' }, { decidedAt: at }],
    ['received: when it was received', { status: 'received' }, { receivedAt: at }],
    ['rejected, no reason', { status: 'rejected' }, { declineReason: 'other', decidedAt: at }],
    [
      'rejected, a reason in words only',
      { status: 'rejected', statusReason: { text: 'We are full.' } },
      { declineReason: 'other', declineText: 'We are full.' },
    ],
    [
      'rejected, a code that we know',
      { status: 'rejected', statusReason: local('no-capacity') },
      { declineReason: 'no-capacity' },
    ],
    [
      'rejected, a code that we do not know, with its words',
      { status: 'rejected', statusReason: { coding: [{ code: 'R7', display: 'Freezer broken' }] } },
      { declineReason: 'other', declineText: 'Freezer broken' },
    ],
    [
      'rejected, a code that we know after one that we do not',
      { status: 'rejected', statusReason: { coding: [{ code: 'R7' }, { code: 'out-of-area' }], text: 'Too far.' } },
      { declineReason: 'out-of-area', declineText: 'Too far.' },
    ],
    [
      'rejected, a reason of the wrong form',
      { status: 'rejected', statusReason: { coding: 'full', text: 7 } },
      { declineReason: 'other' },
    ],
    [
      'failed, with its code and words',
      { status: 'failed', statusReason: { ...local('no-show'), text: 'Did not come.' } },
      { outcome: { code: 'no-show', at, text: 'Did not come.', confirmedBy: 'partner' } },
    ],
    ['failed, no reason', { status: 'failed' }, { outcome: { code: 'other', at, confirmedBy: 'partner' } }],
    [
      'completed, the procedure that resulted',
      {
        status: 'completed',
        output: [{ type: { coding: [{ code: 'resulting-activity' }] }, valueReference: { reference: 'Procedure/7' } }],
      },
      { outcome: { code: 'service-received', at, confirmedBy: 'partner' } },
    ],
    [
      'completed, the procedure as a code among other outputs',
      {
        status: 'completed',
        output: [
          { type: { coding: [{ code: 'additional-content' }] }, valueReference: { reference: 'Observation/1' } },
          { type: { coding: [{ code: 'resulting-activity' }] }, valueCodeableConcept: { text: 'Groceries' } },
        ],
      },
      { outcome: { code: 'service-received', at, confirmedBy: 'partner' } },
    ],
    [
      'completed, no output: closed, outcome unknown',
      { status: 'completed' },
      { outcome: { code: 'other', text: 'outcome unknown', at, confirmedBy: 'partner' } },
    ],
    [
      'completed, another output only: outcome unknown',
      { status: 'completed', output: [{ type: { text: 'photo' }, valueString: 'x' }, null] },
      { outcome: { code: 'other', text: 'outcome unknown', at, confirmedBy: 'partner' } },
    ],
    [
      'on the waiting list, the status unchanged',
      { status: 'requested', statusReason: { ...local('waitlisted'), text: 'About two weeks.' } },
      { status: 'waitlisted', waitlist: { since: at }, decidedAt: at },
    ],
  ])('%s', (_title, task, expected) => {
    expect(patchOf(read({ task, before: 'requested' }))).toMatchObject(expected);
  });

  test.each<[string, Results, string, string | undefined]>([
    ['all was received', [{ status: 'completed' }, { status: 'completed' }], 'service-received', undefined],
    [
      'a part, with words',
      [{ outcome: { ...local('partly-received'), text: 'Two bags' } }],
      'partly-received',
      'Two bags',
    ],
    ['one was done and the other not', [{ status: 'completed' }, { status: 'not-done' }], 'partly-received', undefined],
    ['it was stopped', [{ status: 'stopped', statusReason: { text: 'Closed' } }], 'partly-received', 'Closed'],
    ['nothing was done', [{ status: 'not-done' }], 'other', 'not done'],
    ['it did not succeed', [{ outcome: { coding: [{ code: '385671000' }], text: 'No room' } }], 'other', 'No room'],
    ['it was an error', [{ status: 'entered-in-error' }], 'other', 'outcome unknown'],
    ['it is gone', ['gone'], 'other', 'outcome unknown'],
    ['nobody shows it to us', ['unread'], 'service-received', undefined],
    ['only some of it is shown', ['unread', { status: 'not-done' }], 'partly-received', undefined],
  ])('completed, and of what the Procedures say: %s', (_title, results, code, text) => {
    const output = results.map((_one, index) => ({
      type: { coding: [{ code: 'resulting-activity' }] },
      valueReference: { reference: `Procedure/${index}` },
    }));
    const { outcome } = patchOf(read({ task: { status: 'completed', output }, before: 'accepted', results }));
    expect(outcome).toEqual({ code, ...(text !== undefined && { text }), at, confirmedBy: 'partner' });
  });

  test('a reason in which there is nothing to see is none: a record takes no such text', () => {
    const statusReason = { text: ' \u200b', coding: [{ display: '\u00a0' }] };
    const patch = patchOf(read({ task: { status: 'rejected', statusReason } }));
    expect(patch).toMatchObject({ status: 'declined', declineReason: 'other' });
    expect(patch).not.toHaveProperty('declineText');
    expect(objectsAt(patch, 'history').at(-1)).not.toHaveProperty('reason');
  });

  test('the history grows at its end, with who acted, when, and why; what is implied is called so', () => {
    const task = { status: 'on-hold', statusReason: { text: 'Closed for a week.' } };
    const { history } = patchOf(read({ task, before: 'requested', by: 'Elm Street Pantry' }));
    const before = aReferral().history;
    const byName = 'Elm Street Pantry';
    expect(history).toEqual([
      ...(Array.isArray(before) ? before : []),
      { id: 'item-accepted-2026-02-20T15-00-00Z', status: 'accepted', at, byName, reason: 'implied' },
      {
        id: 'item-on-hold-2026-02-20T15-00-00Z-Closed-for-a-week-',
        status: 'on-hold',
        at,
        byName,
        reason: 'Closed for a week.',
      },
    ]);
  });

  test('a date that the record has is not moved', () => {
    const referral = { ...aReferral(), status: 'accepted', decidedAt: '2026-02-10T09:00:00-05:00' };
    expect(patchOf(read({ referral, before: 'accepted', task: { status: 'in-progress' } }))).not.toHaveProperty(
      'decidedAt',
    );
  });

  test.each<[string, JsonObject, string]>([
    ['the partner says', { lastModified: '2026-02-19T08:30:00-05:00' }, '2026-02-19T08:30:00-05:00'],
    ['the server says, where the partner does not', {}, at],
    ['the server says, where the partner names a day only', { lastModified: '2026-02-19' }, at],
    ['the server says, where the partner has no zone', { lastModified: '2026-02-19T08:30:00' }, at],
    [
      'it was asked for, where nobody says more',
      { meta: {}, authoredOn: '2026-02-04T15:00:00Z' },
      '2026-02-04T15:00:00Z',
    ],
  ])('it happened when %s', (_title, task, expected) => {
    expect(patchOf(read({ task: { status: 'accepted', ...task }, before: 'requested' }))).toMatchObject({
      decidedAt: expected,
    });
  });

  test('no owner, an unknown businessStatus, notes without time and elements of theirs change nothing in the reading', () => {
    const bare = { status: 'accepted' };
    const rich = {
      ...bare,
      businessStatus: { coding: [{ system: 'urn:their', code: '5.1.1' }], text: 'Event Scheduled' },
      note: [{ text: 'Call first.' }],
      owner: { display: 'somebody' },
      extension: [{ url: 'urn:their', valueBoolean: true }],
    };
    expect(read({ task: rich, before: 'requested' })).toEqual(read({ task: bare, before: 'requested' }));
  });
});

describe('what the record says already', () => {
  const declined = (more: JsonObject = {}) => ({ ...aReferral(), status: 'declined', declineReason: 'other', ...more });
  const rejected = { status: 'rejected', statusReason: { coding: [{ code: 'safety' }], text: 'Unsafe road.' } };

  test('a reason that comes after the refusal is added', () => {
    expect(patchOf(read({ referral: declined(), before: 'rejected', task: rejected }))).toEqual({
      declineReason: 'safety',
      declineText: 'Unsafe road.',
    });
  });

  /** The reasons of its steps after those that the record has had from the start. */
  const steps = (reading: TaskReading) =>
    objectsAt(patchOf(reading), 'history')
      .slice(objectsAt(aReferral(), 'history').length)
      .map(({ status, reason }) => [status, reason]);

  test('a reason that the source has is not overwritten: theirs is a step of the history', () => {
    const referral = declined({ declineReason: 'no-capacity', declineText: 'Full.' });
    const reading = read({ referral, before: 'rejected', task: rejected });
    expect(Object.keys(patchOf(reading))).toEqual(['history']);
    expect(steps(reading)).toEqual([['declined', 'Unsafe road.']]);
  });

  test.each(['on-hold', 'failed'] as const)(
    'other words about %s are one more step, and the same ones are nothing',
    (status) => {
      const own = objectsAt(aReferral(), 'history');
      const since = (...reasons: (string | undefined)[]) => ({
        ...aReferral(),
        status,
        history: [...own, ...reasons.map((reason, n) => ({ id: `s${n}`, status, at, ...(reason && { reason }) }))],
      });
      const task = { status, statusReason: { text: 'Closed until April' } };
      const seen = (referral: JsonObject) => read({ referral, before: status, task });
      expect(steps(seen(since(undefined)))).toEqual([
        [status, undefined],
        [status, 'Closed until April'],
      ]);
      expect(steps(seen(since('Closed until April', 'Closed until May')))).toEqual([
        [status, 'Closed until April'],
        [status, 'Closed until May'],
        [status, 'Closed until April'],
      ]);
      expect(inWords(seen(since('Ill', 'Closed until April')))).toBe('nothing');
      expect(inWords(read({ referral: since('Ill'), before: status, task: { status } }))).toBe('nothing');
    },
  );

  test('steps that a performer makes without a new time have ids of their own', () => {
    const told = [
      ['in-progress', 'She came'],
      ['on-hold', 'Ill'],
      ['on-hold', 'Closed'],
      ['on-hold', 'Ill'],
      ['in-progress', 'She came'],
    ] as const;
    let referral: JsonObject = { ...aReferral(), status: 'accepted' };
    let before = 'accepted';
    for (const [status, text] of told) {
      referral = { ...referral, ...patchOf(read({ referral, before, task: { status, statusReason: { text } } })) };
      before = status;
    }
    const history = objectsAt(referral, 'history').slice(-told.length);
    expect(history.map(({ status, reason }) => [status, reason])).toEqual(told);
    expect(parseRecord('referral', referral, { now: receivedAt })).toMatchObject({ ok: true });
  });

  test('why it failed is filled in where the record has no better code, and the words of the outcome are known', () => {
    const failed = (outcome: JsonObject) => ({ ...aReferral(), status: 'failed', outcome });
    const task = { status: 'failed', statusReason: { coding: [{ code: 'no-show' }], text: 'Never came' } };
    const seen = (outcome: JsonObject) => read({ referral: failed(outcome), before: 'failed', task });
    expect(patchOf(seen({ code: 'other', at }))).toMatchObject({ outcome: { code: 'no-show', text: 'Never came' } });
    expect(inWords(seen({ code: 'unreachable', at, text: 'Never came' }))).toBe('nothing');
  });

  test('what a Task names only after it was completed tells an outcome that was unknown, and no other one', () => {
    const completed = (outcome: JsonObject) => ({ ...aReferral(), status: 'completed', outcome: { at, ...outcome } });
    const output = [
      { type: { coding: [{ code: 'resulting-activity' }] }, valueReference: { reference: 'Procedure/1' } },
    ];
    const seen = (outcome: JsonObject, results: Results, task: JsonObject = { output }) =>
      read({ referral: completed(outcome), before: 'completed', task: { status: 'completed', ...task }, results });
    const unknown = { code: 'other', text: 'outcome unknown' };
    const done = [{ resourceType: 'Procedure', status: 'completed' }];
    expect(patchOf(seen(unknown, done))).toEqual({
      outcome: { code: 'service-received', text: null, at, confirmedBy: 'partner' },
    });
    const worded = [{ ...done[0], outcome: { text: 'Two bags' } }];
    expect(patchOf(seen(unknown, worded))).toMatchObject({ outcome: { code: 'service-received', text: 'Two bags' } });
    expect(inWords(seen(unknown, ['gone']))).toBe('nothing');
    expect(inWords(seen(unknown, [], {}))).toBe('nothing');
    expect(inWords(seen({ code: 'not-received' }, done))).toBe('nothing');
    expect(inWords(seen({ code: 'other', text: 'She found work' }, done))).toBe('nothing');
  });

  test('a step that was offered before is not said twice', () => {
    const step = { id: 's', status: 'completed', at };
    const referral = { ...aReferral(), status: 'accepted', history: [...objectsAt(aReferral(), 'history'), step] };
    const task = { status: 'completed' };
    expect(steps(read({ referral, before: 'completed', task }))).toEqual([['completed', undefined]]);
  });

  test.each(['accepted', 'declined'])(
    'a reason that comes after a late refusal leaves it one; ours says %s',
    (status) => {
      const referral = { ...declined(), status };
      const task = { ...rejected, status: 'cancelled' };
      const patch = patchOf(read({ referral, before: 'cancelled', task }));
      expect({ ...referral, ...patch }).toMatchObject({ status: 'declined', declineReason: 'safety' });
    },
  );

  test('a place on the waiting list is told once, and again when it is said otherwise', () => {
    const waiting = (text: string) => ({
      status: 'requested',
      statusReason: { coding: [{ code: 'waitlisted' }], text },
    });
    const first = read({ before: 'requested', task: waiting('Three weeks now.') });
    const referral = { ...aReferral(), ...patchOf(first) };
    const seen = (text: string) => read({ referral, before: 'requested', task: waiting(text) });
    expect(inWords(seen('Three weeks now.'))).toBe('nothing');
    expect(Object.keys(patchOf(seen('From May on.')))).toEqual(['history']);
    expect(steps(seen('From May on.')).at(-1)).toEqual(['waitlisted', 'From May on.']);
  });

  test('a reason beside requested that speaks of no waiting list is nothing', () => {
    const task = { status: 'requested', statusReason: { text: 'Looking at it.' } };
    expect(inWords(read({ before: 'requested', task }))).toBe('nothing');
  });
});

const anyTask: fc.Arbitrary<JsonObject> = fc.record(
  {
    status: fc.constantFrom(...taskStatuses, 'done'),
    lastModified: fc.constantFrom('2026-02-19', '2026', '2026-02-19T08:30:00Z', '', 4),
    statusReason: fc.record(
      {
        text: fc.constantFrom('We are full.', 'Moved away.'),
        coding: fc.array(fc.record({ code: fc.constantFrom('waitlisted', 'no-capacity', 'no-show', 'R7') }), {
          maxLength: 2,
        }),
      },
      { requiredKeys: [] },
    ),
    output: fc.array(fc.constant({ type: { coding: [{ code: 'resulting-activity' }] } }), { maxLength: 1 }),
    meta: fc.record({ lastUpdated: fc.constant(at) }),
  },
  { requiredKeys: [] },
);

describe('laws', () => {
  const arbitrary = fc.record({
    task: anyTask,
    before: fc.option(fc.constantFrom<string>(...taskStatuses), { nil: undefined }),
    direction: fc.constantFrom('outgoing', 'incoming'),
    status: fc.constantFrom('sent', 'received', 'accepted', 'waitlisted', 'in-progress', 'on-hold'),
  });

  test('a record that takes over a patch is a valid one, and keeps all of its history', () => {
    fc.assert(
      fc.property(arbitrary, ({ task, before, direction, status }) => {
        const base: JsonObject = { ...aReferral(), direction, status, waitlist: { since: at } };
        const reading = read({ referral: base, task, before, by: 'Elm Street Pantry' });
        if (reading.kind !== 'patch') return;
        const taken = { ...base, ...reading.patch };
        expect(parseRecord('referral', taken, { now: receivedAt })).toMatchObject({ ok: true });
        const history = Array.isArray(taken.history) ? taken.history.filter(isObject) : [];
        expect(history.slice(0, 2)).toEqual(base.history);
        expect(history.at(-1)).toMatchObject({ status: taken.status });
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  test('once taken over, the same Task is nothing new', () => {
    fc.assert(
      fc.property(arbitrary, ({ task, before, direction, status }) => {
        const base: JsonObject = { ...aReferral(), direction, status };
        const reading = read({ referral: base, task, before });
        if (reading.kind !== 'patch') return;
        const taken = { ...base, ...reading.patch };
        const held = typeof task.status === 'string' ? task.status : undefined;
        expect(inWords(read({ referral: taken, task, before: held }))).toBe('nothing');
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});
