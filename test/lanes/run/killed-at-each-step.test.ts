// Killing the process at each step of a run and starting it again ends in the same state, with nothing doubled.
//
// A step is: in a transaction that has written, just before COMMIT (all is written, nothing holds) and before each further statement; after each
// COMMIT and after each single statement that changed a row; before each HTTP request leaves; after the server has answered and before the
// reply is handed on. Reads change nothing and are no steps. Steps of the start of a gateway count like those of its runs. Every walk
// goes on, some steps further each time, until a life comes to the end of its work. The first creation, which is long, leaves out the points inside
// a transaction: they leave the same database as the one before its COMMIT.
//
// A plain run dies at the first step of each kind, then some thirty steps further each time (of what comes after, eleven);
// CASEBRIDGE_TEST_COUNTS=full dies at each one.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { findMarker } from '../../../src/documents/documents.ts';
import type { JsonObject } from '../../../src/json.ts';
import { patientOf } from '../../../src/lanes/patients/patient-of.ts';
import { aCarePlan, aCase, aClient, aConsent, aGoal, aNeed } from '../../builders.ts';
import { documentText } from '../../chaos/simulated.ts';
import { atCounts } from '../../support/counts.ts';
import {
  allSteps,
  boundaries,
  type IsLast,
  type LifeOptions,
  mortalHttp,
  type StepKind,
} from '../../support/mortal.ts';
import { portrait, writesIn } from '../../support/portrait.ts';
import { describeOnPostgres } from '../../support/servers.ts';
import {
  type Act,
  changes,
  clear,
  embeddedSite,
  heard,
  namesOfSmallCase,
  newEntries,
  nothing,
  pantryReferral,
  partnerMoves,
  play,
  postgresSite,
  rest,
  type Site,
  type SiteOptions,
  send,
  sendCase,
  sendEdition,
  slotsOfSmallCase,
  unfinished,
  versions,
} from '../../support/walk.ts';

let restoreHttp = () => {};
beforeAll(() => {
  restoreHttp = mortalHttp();
});
afterAll(() => restoreHttp());

describe('on the embedded database, killed at each step', () => {
  walks(embeddedSite, allSteps, atCounts({ plain: 31, full: 1 }));
});

describeOnPostgres('on PostgreSQL, killed at each step', ({ freshDatabase }) => {
  // A cut within a transaction is rolled back like the one before its commit; each statement is walked on the embedded database.
  walks(async () => postgresSite(await freshDatabase()), boundaries, atCounts({ plain: 37, full: 1 }));
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

/** A history with much to double: what went before, what is cut, and what must be there afterwards. */
interface History {
  readonly title: string;
  /** Of the server, beside those of the site. */
  readonly settings?: JsonObject;
  readonly seed?: readonly JsonObject[];
  readonly before: readonly Act[];
  /** What makes the server ready for the nth cut; nobody dies in it. */
  readonly again?: (n: number) => readonly Act[];
  readonly acts: (n: number) => readonly Act[];
  readonly judge: (site: Site, n: number) => Promise<void>;
  readonly kinds: readonly string[];
}

/** So many minutes after the small case. */
const later = (minutes: number): string =>
  new Date(Date.parse('2026-03-01T09:00:00Z') + minutes * 60_000).toISOString();

const withdrawal: History = {
  title: 'a referral that is withdrawn',
  before: [sendCase, rest],
  again: (n) => [send(['referral', pantryReferral({ id: `referral-${n}` })]), rest],
  acts: (n) => [send(['referral', pantryReferral({ id: `referral-${n}`, deleted: true, updatedAt: later(n) })]), rest],
  async judge({ server }, n) {
    expect([
      await server.own('ServiceRequest', `county/referral/referral-${n}#request`),
      await server.own('Task', `county/referral/referral-${n}#fulfilment`),
    ]).toMatchObject([{ status: 'entered-in-error' }, { status: 'entered-in-error' }]);
  },
  kinds: ['before-commit', 'after-commit'],
};

const aPatient = (id: string, more: JsonObject): JsonObject => ({
  resourceType: 'Patient',
  id,
  name: [{ family: 'Delgado', given: ['Rosa'] }],
  birthDate: '1984-06-17',
  gender: 'female',
  ...more,
});
const mrn = { system: 'urn:oid:1.2.3', value: 'MRN-20417' };
const chartTypes = ['EpisodeOfCare', 'CareTeam', 'Condition', 'Goal', 'ServiceRequest', 'Task'];

const relinking: History = {
  title: 'a client who turns out to be another patient',
  seed: [aPatient('wrong', { identifier: [mrn] }), aPatient('right', { birthDate: '1984-07-16' })],
  before: [sendCase, rest],
  acts: (n) => [(core) => core.relink(patientAfter(n)), rest],
  async judge({ server, rows }, n) {
    const all = (await Promise.all(chartTypes.map((type) => server.all(type)))).flat();
    const inForce = all.filter((resource) => !JSON.stringify(resource).includes('entered-in-error'));
    expect(inForce.map((resource) => `${resource.resourceType} of ${patientOf(resource)}`)).toEqual(
      chartTypes.map((type) => `${type} of ${patientAfter(n)}`),
    );
    expect(await server.all('Patient')).toMatchObject([{ meta: { versionId: '1' } }, { meta: { versionId: '1' } }]);
    const topic = `relinked:${patientAfter(n - 1)}`;
    const asked = await rows(`select detail from casebridge.decision where topic = '${topic}' and state = 'open'`);
    expect(asked).toMatchObject([{ detail: { now: patientAfter(n) } }]);
  },
  kinds: ['before-request POST', 'after-reply POST', 'after-commit', 'before-commit'],
};
const patientAfter = (n: number): string => (n % 2 === 1 ? 'right' : 'wrong');

const matching: History = {
  title: 'a patient whom a person decides to create',
  before: [sendCase, rest],
  again: (n) => [
    async (_core, { server }) => {
      const names = { name: [{ family: `Delgado-${n}`, given: ['Rosa'] }] };
      await server.seed(aPatient(`one-${n}`, names), aPatient(`other-${n}`, names));
    },
  ],
  acts: (n) => {
    const ids = { clientId: `client-${n}`, caseId: `case-${n}` };
    const names = [{ use: 'legal' as const, given: ['Rosa'], family: `Delgado-${n}` }];
    return [
      send(
        ['client', aClient({ id: ids.clientId, names, identifiers: [] })],
        ['case', aCase({ id: ids.caseId, clientId: ids.clientId, organizationId: 'org-pantry' })],
        ['need', aNeed({ id: `need-${n}`, ...ids })],
      ),
      rest,
      (core) => core.decide('patient-match', 'create'),
      rest,
    ];
  },
  async judge({ server, rows }, n) {
    const { id } = await server.own('Patient', `county/client/client-${n}#patient`);
    expect(await server.own('Condition', `county/need/need-${n}#condition`)).toMatchObject({
      subject: { reference: `Patient/${id}` },
    });
    expect(await rows(`select state from casebridge.decision where record_id = 'client-${n}'`)).toEqual([
      { state: 'decided' },
    ]);
  },
  kinds: ['before-request POST', 'after-reply POST', 'after-commit', 'before-commit'],
};

const patching: History = {
  title: 'a comment that is added by JSON Patch',
  settings: { patchOnlyTypes: ['Task', 'ServiceRequest'] },
  before: [sendCase, rest],
  acts: (n) => [
    send([
      'referral',
      pantryReferral({
        requestedText: 'Weekly groceries, edition 0',
        comments: Array.from({ length: n }, (_, at) => ({
          id: `comment-${at + 1}`,
          at: later(at),
          text: `Comment ${at + 1}`,
          visibility: 'shared',
        })),
        updatedAt: later(n),
      }),
    ]),
    rest,
  ],
  async judge({ server }, n) {
    const { note } = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
    expect(note).toMatchObject(Array.from({ length: n }, (_, at) => ({ text: `Comment ${at + 1}` })));
  },
  kinds: ['before-request PATCH', 'after-reply PATCH', 'after-commit', 'before-commit'],
};

const edition: History = {
  title: 'an edition of a document',
  seed: [
    aPatient('rosa', { identifier: [mrn] }),
    {
      resourceType: 'Encounter',
      id: 'open',
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: 'Patient/rosa' },
      period: { start: '2026-02-01T09:00:00Z' },
    },
  ],
  before: [sendCase, send(['carePlan', aCarePlan()]), rest],
  acts: (n) => [send(['goal', aGoal({ statement: `Statement ${n}`, updatedAt: later(n) })]), rest],
  async judge(site, n) {
    const filed = await editionsAt(site);
    expect(filed.map(({ number }) => number)).toEqual(filed.map((_, at) => at + 1));
    expect(filed).toHaveLength(n + 1);
    expect(filed.at(-1)?.text).toContain(`Statement ${n}`);
  },
  kinds: ['before-request POST', 'after-reply POST', 'after-commit', 'before-commit'],
};

const consent = (status: 'active' | 'revoked', minutes: number): Act =>
  send([
    'consent',
    aConsent({
      sensitivity: ['mental-health'],
      status,
      updatedAt: later(minutes),
      ...(status === 'revoked' && { revokedAt: later(minutes) }),
    }),
  ]);
const secretNeed = aNeed({ id: 'need-secret', description: 'CANARY-SECRET', sensitivity: ['mental-health'] });

const retraction: History = {
  ...edition,
  title: 'the retraction of a document',
  before: [consent('active', 0), sendCase, send(['carePlan', aCarePlan()], ['need', secretNeed]), rest],
  again: (n) => [consent('active', 2 * n), rest],
  acts: (n) => [consent('revoked', 2 * n + 1), rest],
  async judge(site) {
    const filed = await editionsAt(site);
    expect(filed.map(({ number }) => number)).toEqual(filed.map((_, at) => at + 1));
    const [told, retracted, anew] = filed.slice(-3);
    expect(told?.text).toContain('CANARY-SECRET');
    expect(retracted?.text).toMatch(/retracted/i);
    expect(anew?.text).toContain('Delgado');
    expect(`${retracted?.text}${anew?.text}`).not.toContain('CANARY-SECRET');
  },
};

/** Each with the number that its last line says, in their order. */
async function editionsAt({ server }: Site): Promise<{ readonly number: number; readonly text: string }[]> {
  const texts = (await server.all('DocumentReference')).map(documentText);
  return texts
    .map((text) => ({ text, number: findMarker(text)?.edition ?? 0 }))
    .sort((one, other) => one.number - other.number);
}

const hospital: SiteOptions = {
  connection: {
    vendor: 'epic',
    createPatients: false,
    task: 'answer',
    organization: { source: 'county', id: 'org-pantry' },
    documents: { quietMs: 0, atMostEveryMs: 0, encounter: 'latest-open' },
  },
  settings: { auth: 'none' },
};

describe('on the embedded database, killed at each step of what comes after', () => {
  describe('at a server that takes everything', () => {
    walkHistories({}, [withdrawal, relinking, matching, patching]);
  });
  describe('at a hospital that takes documents', () => {
    walkHistories(hospital, [edition, retraction]);
  });
});

/** Each life dies some steps further than the one before it; a plain run lets a few die at boundaries. */
function walkHistories(options: SiteOptions, histories: readonly History[]): void {
  let site: Site;
  beforeAll(async () => {
    site = await embeddedSite(options);
  });
  afterAll(() => site.close());

  test.each(histories)(
    'of $title',
    async ({ settings = {}, seed = [], before, again, acts, judge, kinds }) => {
      await clear(site);
      await site.server.settings(settings);
      for (const resource of seed) await site.server.seed(resource);
      const expected = {
        looks: 1,
        unfinished: { ...nothing, decisions: expect.any(Array), waiting: expect.any(Array) },
      };
      await trial(site, {}, before, false, expected);
      let n = 0;
      const next = async (life: LifeOptions, isPassedAgain: boolean) => {
        n += 1;
        if (again !== undefined) await trial(site, {}, again(n), false, expected);
        const left = await trial(site, life, acts(n), isPassedAgain, expected);
        await judge(site, n);
        return left;
      };
      const undisturbed = await next({}, true);
      const { stride, counted } = atCounts({
        plain: { stride: 11, counted: boundaries },
        full: { stride: 1, counted: allSteps },
      });
      const died: string[] = [];
      for (let until = 3; ; until += stride) {
        const left = await next({ until, counted }, died.length % 4 === 3).catch((error: Error) => {
          throw new Error(`killed at step ${until}, after ${died.at(-1)}: ${error.message}`, { cause: error });
        });
        expect(creates(left)).toEqual(creates(undisturbed));
        const last = left.steps[until - 1];
        if (last === undefined) break;
        died.push(last);
      }
      expect(died.length).toBeGreaterThan(1);
      if (stride === 1) expectSteps(died, kinds);
    },
    900_000,
  );
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
async function trial(
  site: Site,
  options: LifeOptions,
  acts: readonly Act[],
  again = true,
  expected: { readonly looks: number; readonly unfinished: Record<string, unknown> } = {
    looks: slotsOfSmallCase.length,
    unfinished: nothing,
  },
): Promise<Left> {
  await newEntries(site);
  const { core, steps, end } = await play(site, options, acts);
  const told = await changes(site);
  const left = { portrait: await portrait(site.server), writes: writesIn(await newEntries(site)), steps };
  if (again) {
    await core.poll();
    await core.wantAll();
    await core.rest();
    const second = await newEntries(site);
    expect(second.filter(({ method }) => method === 'GET').length).toBeGreaterThanOrEqual(expected.looks);
    expect(writesIn(second)).toEqual([]);
    expect(await changes(site)).toEqual(told);
  }
  expect(await unfinished(site)).toEqual(expected.unfinished);
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
