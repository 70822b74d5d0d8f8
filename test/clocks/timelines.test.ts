// Clocks are right (G18): random timelines with changes of daylight saving, the turn of the year and edited starts, against a reference that walks
// through time. A plain run takes 300; CASEBRIDGE_TEST_COUNTS=full takes 10,000.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Clock, clocksOf } from '../../src/clocks/clocks.ts';
import type { JsonObject } from '../../src/json.ts';
import type { StoredRecord } from '../../src/records/records.ts';
import { aCarePlan, aCoverage, aGoal, aHospitalStay, aNeed, aNote, aReferral } from '../builders.ts';
import { atCounts } from '../support/counts.ts';
import { caseWith, seen } from './facts.ts';
import { noteClock, planClocks, referralClocks, stepMs, type Timeline, type Told } from './reference.ts';

const zones = [
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'UTC',
];
// Around changes of the clocks in both hemispheres, and the turn of the year.
const anchors = ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01', '2026-12-31'].map(
  (date) => Date.parse(`${date}T00:00:00Z`),
);

const quarter = (from: number, days: number) =>
  fc.integer({ min: 0, max: days * 96 }).map((steps) => new Date(from + steps * stepMs).toISOString());

const statuses = [
  'sent',
  'undeliverable',
  'received',
  'accepted',
  'waitlisted',
  'declined',
  'in-progress',
  'on-hold',
  'cancelled',
  'entered-in-error',
  'draft',
] as const;

const timeline: fc.Arbitrary<Timeline> = fc.constantFrom(...anchors).chain((anchor) => {
  const from = anchor - 3 * 86_400_000;
  const soon = quarter(from, 12);
  const far = quarter(from, 70);
  const option = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  return fc.record({
    zone: fc.constantFrom(...zones),
    now: fc.oneof(soon, far).map(Date.parse),
    office: option(
      fc.record({
        days: fc.constantFrom([1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6, 7], [2, 7]),
        from: fc.constantFrom(0, 120, 540),
        to: fc.constantFrom(1020, 1440),
        holidays: fc.constantFrom([], ['2026-12-25', '2027-01-01', '2026-11-02']),
      }),
    ),
    referral: fc
      .record({
        sentAt: soon,
        moves: fc.array(fc.tuple(fc.constantFrom(...statuses), soon), { minLength: 1, maxLength: 5 }),
        decidedAt: option(soon),
        firstContact: option(
          fc.record({ at: soon, outcome: fc.constantFrom('reached', 'left-message', 'client-declined') }),
        ),
        followUps: fc.array(fc.record({ id: fc.constant('f'), doneAt: soon }), { maxLength: 2 }),
      })
      .map(({ moves, ...fields }) =>
        whole(aReferral(), {
          ...fields,
          direction: 'outgoing',
          status: moves.at(-1)?.[0],
          history: moves.map(([status, at], index) => ({ id: `h${index}`, status, at })),
        }),
      ),
    note: fc
      .record({
        occurredAt: soon,
        signedAt: option(soon),
        status: fc.constantFrom('signed', 'draft', 'entered-in-error'),
      })
      .map((fields) => whole(aNote(), fields)),
    plan: fc
      .record({
        activatedAt: soon,
        reviews: fc.array(far, { maxLength: 3 }).map((all) => all.map((at, index) => ({ id: `r${index}`, at }))),
        majorEvents: fc
          .array(far, { maxLength: 2 })
          .map((all) => all.map((knownAt, index) => ({ id: `m${index}`, kind: 'crisis', knownAt }))),
      })
      .map((fields) => whole(aCarePlan(), fields)),
    stays: fc
      .array(fc.tuple(far, far, fc.boolean()), { maxLength: 2 })
      .map((all) => all.map(([one, other, isOpen], index) => stayBetween(index, [one, other].sort(), isOpen))),
    turned: fc.array(
      fc.record({
        record: fc.oneof(
          fc
            .record({
              status: fc.constantFrom('active', 'cancelled', 'completed', 'entered-in-error'),
              achievement: option(fc.constantFrom('not-attainable', 'improving')),
              progress: fc
                .array(fc.tuple(far, fc.constantFrom('not-attainable', 'improving')), { maxLength: 3 })
                .map((all) => all.map(([at, achievement], index) => ({ id: `p${index}`, at, achievement }))),
            })
            .map((fields) => whole(aGoal(), fields)),
          fc
            .record({
              status: fc.constantFrom('active', 'ended', 'denied', 'pending'),
              startsOn: option(soon.map(dateOf)),
              endsOn: option(far.map(dateOf)),
            })
            .map((fields) => whole(aCoverage({ startsOn: undefined }), fields)),
        ),
        since: far.map(Date.parse),
        hasMoved: fc.boolean(),
      }),
      { maxLength: 2 },
    ),
    needs: fc.array(
      fc
        .record({
          domain: fc.constantFrom('homelessness', 'food'),
          status: fc.constantFrom('identified', 'entered-in-error'),
          identifiedOn: far.map(dateOf),
        })
        .map((fields) => whole(aNeed(), fields)),
      { maxLength: 1 },
    ),
  });
});

const dateOf = (at: string) => at.slice(0, 10);

function whole(record: StoredRecord, fields: object): JsonObject {
  return { ...record, ...JSON.parse(JSON.stringify(fields)) };
}

function stayBetween(index: number, [admittedAt, dischargedAt]: readonly string[], isOpen: boolean): JsonObject {
  const end = isOpen ? {} : { dischargedAt, disposition: 'home' };
  return whole(aHospitalStay({ id: `stay-${index}` }), { admittedAt, knownAt: admittedAt, ...end });
}

function stored(record: JsonObject): StoredRecord {
  return { ...record, id: String(record.id), updatedAt: String(record.updatedAt) };
}

function told(clocks: readonly Clock[], rule: string): Told[] {
  return clocks
    .filter((clock) => clock.rule === rule)
    .map(({ state, startedAt, dueAt, stoppedAt }) => ({ state, startedAt, dueAt, stoppedAt }));
}

describe('random timelines', () => {
  const numRuns = atCounts({ plain: 200, full: 10_000 });
  test(`${numRuns} of them have the clocks that a walk through time finds`, () => {
    const states = new Set<string>();
    fc.assert(
      fc.property(timeline, (line) => {
        const facts = {
          ...caseWith(
            seen('referral', stored(line.referral)),
            seen('note', stored(line.note)),
            seen('carePlan', stored(line.plan)),
            ...line.stays.map((stay) => seen('hospitalStay', stored(stay))),
            ...line.needs.map((need) => seen('need', stored(need))),
            ...line.turned.map(({ record, since, hasMoved }) =>
              seen('statement' in record ? 'goal' : 'coverage', stored(record), {
                statusSince: new Date(since).toISOString(),
                hasMoved,
              }),
            ),
          ),
          zone: line.zone,
        };
        const rules = ['referral-follow-up-48h', 'first-contact-72h', 'note-24h'] as const;
        const clocks = clocksOf(facts, line.now, line.office ? { businessHours: { ...line.office, rules } } : {});
        const { followUp, contact } = referralClocks(line);
        expect(told(clocks, 'referral-follow-up-48h')).toEqual(followUp);
        expect(told(clocks, 'first-contact-72h')).toEqual(contact);
        expect(told(clocks, 'note-24h')).toEqual(noteClock(line));
        expect(told(clocks, 'plan-review-30d')).toEqual(planClocks(line));
        for (const { state } of clocks) states.add(state);
      }),
      { seed: 31, numRuns },
    );
    expect([...states].sort()).toEqual(['breached', 'due-soon', 'met', 'running', 'void']);
  });
});
