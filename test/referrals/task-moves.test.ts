// Who may move a referral Task from where to where (SDOHCC TaskForReferralManagement: state diagram and "set by").

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isTaskStatus, isTerminal, legalMoves, taskPath, taskStatuses } from '../../src/referrals/referrals.ts';

/** One row for each status to move from; R: the requester may, P: the performer may, RP: either may, '-': nobody. */
const diagram = `
  to:              requested accepted rejected in-progress on-hold completed failed cancelled entered-in-error
  draft            R         -        -        -           -       -         -      -         R
  requested        -         P        P        -           -       -         -      RP        R
  accepted         -         -        -        P           P       P         P      RP        R
  in-progress      -         -        -        -           P       P         P      RP        R
  on-hold          -         -        -        P           -       P         P      RP        R
  rejected         -         -        -        -           -       -         -      -         R
  completed        -         -        -        -           -       -         -      -         R
  failed           -         -        -        -           -       -         -      -         R
  cancelled        -         -        -        -           -       -         -      -         R
  entered-in-error -         -        -        -           -       -         -      -         -
  received         -         -        -        -           -       -         -      -         -
  ready            -         -        -        -           -       -         -      -         -`;

const rows = diagram
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));
const columns = rows[0]?.slice(1) ?? [];
const cells = rows.slice(1).flatMap(([from = '', ...marks]) => {
  const known = taskStatuses.map((to) => ({ from, to, mark: marks[columns.indexOf(to)] ?? '-' }));
  return known.map(({ to, mark }) => ({ from, to, requester: mark.includes('R'), performer: mark.includes('P') }));
});
const final = ['rejected', 'completed', 'failed', 'cancelled', 'entered-in-error'];

describe('the state diagram', () => {
  test('has a cell for every pair of statuses', () => {
    expect(cells).toHaveLength(taskStatuses.length ** 2);
  });

  test.each(cells)('$from -> $to: requester $requester, performer $performer', ({ from, to, requester, performer }) => {
    if (!isTaskStatus(from)) throw new Error(`the table names ${from}, which is no status`);
    expect(legalMoves(from, 'requester').includes(to)).toBe(requester);
    expect(legalMoves(from, 'performer').includes(to)).toBe(performer);
    expect(legalMoves(from).includes(to)).toBe(requester || performer);
  });

  test.each(taskStatuses)('%s: final or not', (status) => {
    expect(isTerminal(status)).toBe(final.includes(status));
  });

  test.each([undefined, null, '', 'Requested', 'done', 7, 'toString'])('%p is no Task status', (value) => {
    expect(isTaskStatus(value)).toBe(false);
  });
});

describe('the way from one status to another', () => {
  test.each([
    ['the performer completes what was only requested', 'requested', 'completed', 'performer', 'accepted completed'],
    ['the performer fails what was only requested', 'requested', 'failed', 'performer', 'accepted failed'],
    ['the performer begins', 'requested', 'in-progress', 'performer', 'accepted in-progress'],
    ['the performer puts on hold', 'requested', 'on-hold', 'performer', 'accepted on-hold'],
    ['the performer declines', 'requested', 'rejected', 'performer', 'rejected'],
    ['the performer goes on', 'on-hold', 'in-progress', 'performer', 'in-progress'],
    ['the requester withdraws', 'in-progress', 'cancelled', 'requester', 'cancelled'],
    ['the requester sends a draft', 'draft', 'requested', 'requester', 'requested'],
    ['the requester corrects a mistake', 'completed', 'entered-in-error', 'requester', 'entered-in-error'],
  ] as const)('%s: %s -> %s', (_who, from, to, party, path) => {
    expect(taskPath(from, to, party)?.join(' ')).toBe(path);
  });

  test.each([
    ['back from on-hold to accepted', 'on-hold', 'accepted', 'performer'],
    ['a refusal after acceptance', 'accepted', 'rejected', 'performer'],
    ['out of a final status', 'completed', 'in-progress', 'performer'],
    ['acceptance by the requester', 'requested', 'accepted', 'requester'],
    ['a correction by the performer', 'accepted', 'entered-in-error', 'performer'],
    ['back to requested', 'accepted', 'requested', undefined],
    ['to a status that is never written', 'requested', 'received', undefined],
    ['from a status that is never written', 'ready', 'completed', undefined],
  ] as const)('there is none: %s', (_what, from, to, party) => {
    expect(taskPath(from, to, party)).toBeUndefined();
  });

  const status = fc.constantFrom(...taskStatuses);
  const party = fc.constantFrom('requester', 'performer', undefined);

  test('each step is a legal move of the party, it ends where it should, and passes no status twice', () => {
    fc.assert(
      fc.property(status, status, party, (from, to, who) => {
        const path = taskPath(from, to, who);
        if (path === undefined) return;
        const places = [from, ...path];
        expect(places.at(-1)).toBe(to);
        for (const [index, step] of path.entries()) expect(legalMoves(places[index] ?? from, who)).toContain(step);
        expect(new Set(places).size).toBe(places.length);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('no longer way is given where a shorter one is legal', () => {
    fc.assert(
      fc.property(status, status, party, (from, to, who) => {
        for (const next of legalMoves(from, who)) {
          const onward = taskPath(next, to, who);
          if (onward === undefined) continue;
          expect(taskPath(from, to, who)?.length ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(onward.length + 1);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test.each(taskStatuses)('%s is reached from itself without a step', (from) => {
    expect(taskPath(from, from, 'performer')).toEqual([]);
  });
});
