// The reply to a write that breaks off anywhere, in its status line, a header or its body: what was done is found, and done once (design section 8).
// A create that is cut is in test/lanes/send/bad-replies-to-creates.test.ts. A plain run cuts at a few places, CASEBRIDGE_TEST_COUNTS=full at all (`placesIn`).

import { describe, expect, test } from '@jest/globals';
import { findMarker } from '../../../src/documents/documents.ts';
import { aCarePlan, aCase, aClient, aGoal, aNeed, anOrganization } from '../../builders.ts';
import { directoryAndClient } from '../../support/caseload.ts';
import { type CuttingProxy, placesIn, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { anEncounter, documentsOf } from '../../support/documents.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld, type World } from '../../support/world.ts';

/**
 * Sends something once whole and once for each place at which the reply is cut.
 * @param send sends the nth one, from 0, and lets the lanes run
 * @returns how often it was sent
 */
async function cutEverywhere(proxy: CuttingProxy, send: (n: number) => Promise<void>): Promise<number> {
  await send(0);
  const places = placesIn(proxy.lastReply());
  expect(places.length).toBeGreaterThan(3);
  for (const [at, bytes] of places.entries()) {
    proxy.cutAfter(bytes);
    await send(at + 1);
  }
  // A later reply may be some bytes shorter.
  expect(proxy.cuts()).toBeGreaterThan(0.7 * places.length);
  return places.length + 1;
}

const later = (minutes: number): string => new Date(Date.UTC(2026, 2, 1, 9, minutes)).toISOString();
const fullMs = 1_800_000;

describe('at a server that takes everything', () => {
  const world = useWorld();

  test(
    'of an update: it is read, and not sent again',
    () =>
      behind(world, /^PUT /, {}, async (proxy) => {
        await world.accept(['organization', anOrganization()]);
        await world.work();
        const times = await cutEverywhere(proxy, async (n) => {
          await world.accept(['organization', anOrganization({ name: `Pantry ${n}`, updatedAt: later(n) })]);
          await world.work();
          expect(await world.server.all('Organization')).toMatchObject([{ name: `Pantry ${n}` }]);
        });
        const puts = (await world.server.journal()).filter(({ method }) => method === 'PUT');
        expect(puts).toHaveLength(times);
      }),
    fullMs,
  );

  test(
    'of a transaction: each of its creates is found, and made once',
    async () => {
      await world.server.settings({ conditionalCreate: false });
      await behind(world, /^POST \S+\/R4\/? /, {}, async (proxy) => {
        await world.accept(...directoryAndClient());
        await world.work();
        const times = await cutEverywhere(proxy, async (n) => {
          await world.accept(['case', aCase({ id: `case-${n}` })]);
          await world.work();
        });
        expect(await world.server.all('EpisodeOfCare')).toHaveLength(times);
        expect(await world.server.all('CareTeam')).toHaveLength(times);
      });
    },
    fullMs,
  );
});

describe.each([
  ['epic', 'answer'],
  ['oracle', 'off'],
] as const)('at %s', (vendor, task) => {
  const hospital = {
    vendor,
    task,
    createPatients: false,
    documents: { quietMs: 0, atMostEveryMs: 0, encounter: 'latest-open' },
  } as const;
  const world = useWorld(hospital);
  const { filed } = documentsOf(world);

  async function sendCaseOf(n: number): Promise<void> {
    const ids = { clientId: `client-${n}`, caseId: `case-${n}` };
    const mrn = { system: 'urn:oid:1.2.3', value: `MRN-${n}` };
    const family = `Delgado-${n}`;
    const birthDate = new Date(Date.UTC(1950, 0, 1 + n)).toISOString().slice(0, 10);
    await world.server.seed(
      { ...rosaOnFile, id: `rosa-${n}`, identifier: [mrn], name: [{ family, given: ['Rosa'] }], birthDate },
      anEncounter(`open-${n}`, 'in-progress', '2026-02-01T09:00:00Z', `rosa-${n}`),
    );
    await world.accept(
      [
        'client',
        aClient({
          id: ids.clientId,
          names: [{ use: 'legal', given: ['Rosa'], family }],
          birthDate,
          identifiers: [{ kind: 'mrn', ...mrn }],
        }),
      ],
      ['case', aCase({ id: ids.caseId, clientId: ids.clientId })],
      ['need', aNeed({ id: `need-${n}`, ...ids })],
      ['goal', aGoal({ id: `goal-${n}`, ...ids, needIds: [`need-${n}`] })],
      ['carePlan', aCarePlan({ id: `plan-${n}`, ...ids, needIds: [`need-${n}`], goalIds: [`goal-${n}`] })],
    );
    await world.work();
  }

  test(
    'of a document: it is found by its marker, and filed once',
    () =>
      behind(world, /^POST \S+DocumentReference/, hospital, async (proxy) => {
        await world.accept(...directoryAndClient().filter(([type]) => type !== 'client'));
        await world.work();
        const times = await cutEverywhere(proxy, sendCaseOf);
        const documents = await filed();
        expect(documents.map(({ edition }) => edition)).toEqual(Array(times).fill(1));
        expect(new Set(documents.map(({ text }) => findMarker(text)?.marker)).size).toBe(times);
      }),
    fullMs,
  );
});

describe('at oracle', () => {
  const hospital = {
    vendor: 'oracle',
    task: 'off',
    createPatients: false,
    documents: { quietMs: 0, atMostEveryMs: 0, encounter: 'latest-open' },
  } as const;
  const world = useWorld(hospital);
  const { filed, sendCase, writes } = documentsOf(world);

  test(
    'of an amendment: it is read, and made once',
    () =>
      behind(world, /^PUT \S+DocumentReference/, hospital, async (proxy) => {
        await world.server.seed(rosaOnFile, anEncounter('open', 'in-progress', '2026-02-01T09:00:00Z'));
        await sendCase();
        const times = await cutEverywhere(proxy, async (n) => {
          await world.accept(['goal', aGoal({ statement: `Statement ${n}`, updatedAt: later(n) })]);
          await world.work();
          const [document, ...others] = await filed();
          expect(others).toEqual([]);
          expect(document).toMatchObject({ edition: n + 2, text: expect.stringContaining(`Statement ${n}`) });
        });
        expect((await writes()).filter((write) => write.startsWith('PUT'))).toHaveLength(times);
      }),
    fullMs,
  );
});

/** Lets the connection go through a proxy that cuts replies to what begins like `kind`; nobody is asked anything. */
async function behind(
  world: World,
  kind: RegExp,
  connection: Parameters<typeof aConnection>[1],
  work: (proxy: CuttingProxy) => Promise<void>,
): Promise<void> {
  const proxy = await startCuttingProxy(world.server.base, kind);
  try {
    await world.connect(aConnection(proxy.base, connection));
    await work(proxy);
    expect(await world.openDecisions()).toEqual([]);
  } finally {
    await proxy.stop();
  }
}
