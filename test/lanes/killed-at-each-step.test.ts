// Killing the process at each step of a run and starting it again ends in the same state, with nothing doubled.
//
// A step is: in a transaction that has written, just before COMMIT (all is written, nothing holds) and before each further statement; after each
// COMMIT and after each single statement that changed a row; before each HTTP request leaves; after the server has answered and before the
// reply is handed on. Reads change nothing and are no steps. Steps of the start of a gateway count like those of its runs. Every walk
// goes on, some steps further each time, until a life comes to the end of its work. The first creation, which is long, leaves out the points inside
// a transaction: they leave the same database as the one before its COMMIT.
//
// A plain run dies at the first step of each kind and at every tenth, on PostgreSQL at every eleventh; CASEBRIDGE_TEST_COUNTS=full dies at each one.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { atCounts } from '../support/counts.ts';
import { allSteps, boundaries, type IsLast, type LifeOptions, mortalHttp, type StepKind } from '../support/mortal.ts';
import { portrait, writesIn } from '../support/portrait.ts';
import { describeOnPostgres } from '../support/servers.ts';
import {
  type Act,
  changes,
  clear,
  embeddedSite,
  heard,
  namesOfSmallCase,
  newEntries,
  nothing,
  partnerMoves,
  play,
  postgresSite,
  rest,
  type Site,
  sendCase,
  sendEdition,
  slotsOfSmallCase,
  unfinished,
  versions,
} from '../support/walk.ts';

let restoreHttp = () => {};
beforeAll(() => {
  restoreHttp = mortalHttp();
});
afterAll(() => restoreHttp());

describe('on the embedded database, killed at each step', () => {
  walks(embeddedSite, allSteps, atCounts({ plain: 16, full: 1 }));
});

describeOnPostgres('on PostgreSQL, killed at each step', ({ freshDatabase }) => {
  // A cut within a transaction is rolled back like the one before its commit; each statement is walked on the embedded database.
  walks(async () => postgresSite(await freshDatabase()), boundaries, atCounts({ plain: 17, full: 1 }));
});

/** @param stride how many steps further the next one dies, at most */
function walks(open: () => Promise<Site>, counted: readonly StepKind[], stride: number): void {
  let site: Site;
  beforeEach(async () => {
    site = await open();
  });
  afterEach(() => site.close());

  test('of the first creation', async () => {
    const undisturbed = await trial(site, {}, [sendCase, rest]);
    expect(Object.keys(undisturbed.portrait).sort()).toEqual([...slotsOfSmallCase].sort());
    const walked = await walk(stride, { counted: boundaries }, async (options, again) => {
      await clear(site);
      const { steps, ...left } = await trial(site, options, [sendCase, rest], again);
      expect(left.portrait).toEqual(undisturbed.portrait);
      // Lanes may come in another order after a start: a reference that had nothing to point at follows as an update.
      expect(creates(left)).toEqual(creates(undisturbed));
      expect(Object.keys(await versions(site)).sort()).toEqual([...namesOfSmallCase].sort());
      return steps;
    });
    expectSteps(walked, ['before-request POST', 'after-reply POST', 'after-commit', 'before-commit']);
  }, 300_000);

  test('of an update', async () => {
    const before = await trial(site, {}, [sendCase, rest]);
    let edition = 0;
    const walked = await walk(stride, { counted }, async (options, again) => {
      edition += 1;
      const { steps, ...left } = await trial(site, options, [sendEdition(edition), rest], again);
      const expected = JSON.stringify(before.portrait).replaceAll('edition 0', `edition ${edition}`);
      expect(left).toEqual({ portrait: JSON.parse(expected), writes: ['update ServiceRequest'] });
      expect(await versions(site)).toMatchObject({ 'referral/referral-pantry': edition + 1 });
      return steps;
    });
    expectSteps(walked, [
      'before-request PUT',
      'after-reply PUT',
      'after-commit',
      'before-commit',
      ...counted.filter((kind) => kind === 'statement'),
    ]);
  }, 300_000);

  test("of a partner's answer, which the source is told once", async () => {
    const before = await trial(site, {}, [sendCase, rest, partnerMoves('accepted'), heard(1), rest]);
    const states = ['in-progress', 'on-hold'];
    let told = 1;
    const walked = await walk(stride, { counted }, async (options, again) => {
      const status = states[told % 2] ?? '';
      told += 1;
      const { steps, ...left } = await trial(site, options, [partnerMoves(status), heard(told), rest], again);
      const feed = await changes(site);
      expect(feed.map(({ cursor }) => Number(cursor))).toEqual(Array.from({ length: told }, (_, at) => at + 1));
      expect(feed.at(-1)).toMatchObject({ op: 'patch', type: 'referral', body: { status } });
      const expected = JSON.stringify(before.portrait).replaceAll('"status":"accepted"', `"status":"${status}"`);
      expect(left).toEqual({ portrait: JSON.parse(expected), writes: ['update Task'] });
      return steps;
    });
    expectSteps(walked, [
      'before-request GET',
      'after-reply GET',
      'after-commit',
      'before-commit',
      ...counted.filter((kind) => kind === 'statement'),
    ]);
  }, 300_000);
}

/** What one life and its successor left on the server, and what was written there for it. */
interface Left {
  readonly portrait: Awaited<ReturnType<typeof portrait>>;
  readonly writes: readonly string[];
  /** The steps of the first life. */
  readonly steps: readonly string[];
}

function creates({ writes }: Pick<Left, 'writes'>): string[] {
  return writes.filter((write) => write.startsWith('create'));
}

/**
 * One life and its successor; then what must hold wherever the first one was cut. A second pass, which writes and tells nothing, costs as much
 * `again`: it follows the undisturbed life and every fourth cut.
 */
async function trial(site: Site, options: LifeOptions, acts: readonly Act[], again = true): Promise<Left> {
  await newEntries(site);
  const { core, steps, end } = await play(site, options, acts);
  const told = await changes(site);
  const left = { portrait: await portrait(site.server), writes: writesIn(await newEntries(site)), steps };
  if (again) {
    await core.poll();
    await core.wantAll();
    await core.rest();
    const second = await newEntries(site);
    expect(second.filter(({ method }) => method === 'GET').length).toBeGreaterThanOrEqual(slotsOfSmallCase.length);
    expect(writesIn(second)).toEqual([]);
    expect(await changes(site)).toEqual(told);
  }
  expect(await unfinished(site)).toEqual(nothing);
  await end();
  return left;
}

/**
 * Lets it die at the first step, then further on, a stride at most and at each step of a kind that nobody died at, until it does not die.
 * @returns the steps at which it died
 */
async function walk(
  stride: number,
  options: LifeOptions,
  step: (options: LifeOptions, again: boolean) => Promise<readonly string[]>,
): Promise<string[]> {
  const died: string[] = [];
  let before: readonly string[] = [];
  const until: IsLast = (steps) => {
    const further = steps.length - before.length;
    const kind = kindOf(steps.at(-1) ?? '');
    return further >= stride || (further > 0 && !died.some((one) => kindOf(one) === kind));
  };
  for (;;) {
    const steps = await step({ ...options, until }, died.length % 4 === 3).catch((error: Error) => {
      throw new Error(`killed after step ${before.length}, ${before.at(-1)}: ${error.message}`, { cause: error });
    });
    // Each life goes the way of the one before it, and further: so no step is left out.
    expect(steps.slice(0, before.length).map(kindOf)).toEqual(before.map(kindOf));
    if (!until(steps)) return died;
    died.push(steps.at(-1) ?? '');
    before = steps;
  }
}

/** Such as `before-request GET`, without what differs from one life to the next. */
function kindOf(step: string): string {
  return step.split(' ').slice(0, 2).join(' ');
}

/** The walk met what it claims to walk. */
function expectSteps(walked: readonly string[], kinds: readonly string[]): void {
  expect(kinds.filter((kind) => !walked.some((step) => step.startsWith(kind)))).toEqual([]);
}
