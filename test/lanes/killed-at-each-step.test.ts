// Killing the process at each step of a run and starting it again ends in the same state, with nothing doubled.
//
// A step is: in a transaction that has written, just before COMMIT (all is written, nothing holds) and before each further statement; after each
// COMMIT and after each single statement that changed a row; before each HTTP request leaves; after the server has answered and before the
// reply is handed on. Reads change nothing and are no steps. Steps of the start of a gateway count like those of its runs. Every walk
// goes on, one step further each time, until a life comes to the end of its work. The first creation, which is long, leaves out the points inside
// a transaction: they leave the same database as the one before its COMMIT.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { allSteps, boundaries, type LifeOptions, mortalHttp, type StepKind } from '../support/mortal.ts';
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
  walks(embeddedSite, allSteps);
});

describeOnPostgres('on PostgreSQL, killed at each step', ({ freshDatabase }) => {
  // A cut within a transaction is rolled back like the one before its commit; each statement is walked on the embedded database.
  walks(async () => postgresSite(await freshDatabase()), boundaries);
});

function walks(open: () => Promise<Site>, counted: readonly StepKind[]): void {
  let site: Site;
  beforeEach(async () => {
    site = await open();
  });
  afterEach(() => site.close());

  test('of the first creation', async () => {
    const undisturbed = await trial(site, {}, [sendCase, rest]);
    expect(Object.keys(undisturbed.portrait).sort()).toEqual([...slotsOfSmallCase].sort());
    const walked = await walk({ counted: boundaries }, async (options) => {
      await clear(site);
      const { steps, ...left } = await trial(site, options, [sendCase, rest]);
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
    const walked = await walk({ counted }, async (options) => {
      edition += 1;
      const { steps, ...left } = await trial(site, options, [sendEdition(edition), rest]);
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
    const walked = await walk({ counted }, async (options) => {
      const status = states[told % 2] ?? '';
      told += 1;
      const { steps, ...left } = await trial(site, options, [partnerMoves(status), heard(told), rest]);
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
 * again: it follows the undisturbed life and every fourth cut.
 */
async function trial(site: Site, options: LifeOptions, acts: readonly Act[]): Promise<Left> {
  await newEntries(site);
  const { core, steps, end } = await play(site, options, acts);
  const told = await changes(site);
  const left = { portrait: await portrait(site.server), writes: writesIn(await newEntries(site)), steps };
  if ((options.until ?? 0) % 4 === 0) {
    await core.poll();
    await core.wantAll();
    await core.rest();
    const again = await newEntries(site);
    expect(again.filter(({ method }) => method === 'GET').length).toBeGreaterThanOrEqual(slotsOfSmallCase.length);
    expect(writesIn(again)).toEqual([]);
    expect(await changes(site)).toEqual(told);
  }
  expect(await unfinished(site)).toEqual(nothing);
  await end();
  return left;
}

/** Lets it die at step 1, 2, 3 … until it does not die. @returns the step at which each one died */
async function walk(
  options: LifeOptions,
  step: (options: LifeOptions) => Promise<readonly string[]>,
): Promise<string[]> {
  const walked: string[] = [];
  for (let until = 1; ; until += 1) {
    const steps = await step({ ...options, until }).catch((error: Error) => {
      throw new Error(`killed at step ${until}, after ${walked.at(-1)}: ${error.message}`, { cause: error });
    });
    // Each life goes the way of the one before it, one step further: so none is left out.
    expect(steps.slice(0, until - 1).map(kindOf)).toEqual(walked.map(kindOf));
    if (steps.length < until) return walked;
    walked.push(steps.at(-1) ?? '');
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
