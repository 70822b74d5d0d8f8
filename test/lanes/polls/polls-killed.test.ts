// A process that dies anywhere in its polling, and the next one that goes on, have seen everything (lanes.md 20). The points are drawn by a seed;
// CASEBRIDGE_POLL_CRASHES says how many.

import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { polledTypes } from '../../../src/config.ts';
import { type Connection, type FhirClient, openConnection } from '../../../src/connections/connections.ts';
import { contentHash } from '../../../src/fhir/fhir.ts';
import type { JsonObject } from '../../../src/json.ts';
import {
  cachedCapabilities,
  configurationOf,
  freeDeadLeases,
  type LaneDeps,
  prepareConnection,
  preparePolls,
  readAbilities,
  refreshRoster,
  runDuePolls,
  uploadRoster,
} from '../../../src/lanes/lanes.ts';
import { embeddedBacking } from '../../../src/store/embedded.ts';
import { type Store, sql, storeOn } from '../../../src/store/store.ts';
import { stream } from '../../simulation/random.ts';
import { snapshotOfStore } from '../../support/embedded.ts';
import { Life, mortalBacking, mortalHttp } from '../../support/mortal.ts';
import { aConnection, startServer, type TestServer, testDeps } from '../../support/rig.ts';

const crashes = Number(process.env.CASEBRIDGE_POLL_CRASHES ?? 12);
const types = ['Goal', 'Condition', 'Task'] as const;
const polls = {
  types: polledTypes.filter((type) => types.some((one) => one === type)),
  performers: [],
  referralCodes: [],
  documentTypes: [],
  lookBackMs: 86_400_000,
};
const patients = ['p1', 'p2'];

let server: TestServer;
let database: PGlite;
let restoreHttp = () => {};
const opened: Connection[] = [];
beforeAll(async () => {
  restoreHttp = mortalHttp();
  [server, database] = await Promise.all([
    startServer(),
    snapshotOfStore().then((loadDataDir) => PGlite.create({ loadDataDir })),
  ]);
});
afterAll(async () => {
  restoreHttp();
  for (const connection of opened) await connection.close();
  await server.stop();
  await database.close();
});

const shape: Readonly<Record<(typeof types)[number], (patient: JsonObject, text: string) => JsonObject>> = {
  Goal: (subject, text) => ({ lifecycleStatus: 'active', description: { text }, subject }),
  Condition: (subject, text) => ({ code: { text }, subject }),
  Task: (subject, text) => ({ status: 'requested', intent: 'order', description: text, for: subject }),
};

function resourcesAt(round: number, which: (number: number) => boolean = () => true): JsonObject[] {
  return types.flatMap((resourceType) =>
    Array.from({ length: 8 }, (_, number) => number)
      .filter(which)
      .map((number) => {
        const subject = { reference: `Patient/${patients[number % patients.length]}` };
        return {
          resourceType,
          id: `${resourceType.toLowerCase()}-${number}`,
          ...shape[resourceType](subject, `Round ${round}`),
        };
      }),
  );
}

/** What a process does between two wake-ups: whom to ask about, and all that is due, in small pages. */
async function poll(life: Life): Promise<void> {
  const store = await storeOn(mortalBacking(embeddedBacking(database), life));
  await freeDeadLeases(store);
  const config = aConnection(server.base, {
    polls,
    pollEveryMs: 3_600_000,
    rateLimit: { requestsPerSecond: 1000, concurrency: 4 },
  });
  await prepareConnection(store, config);
  const connection = openConnection(config);
  // Who dies closes nothing.
  opened.push(connection);
  try {
    await preparePolls(store, config, connection.vendor);
    await uploadRoster(store, config.id, patients);
    await refreshRoster(store, config, connection.vendor);
    await sql`update poll set next_at = now()`.execute(store.db);
    const capabilities = cachedCapabilities(store, connection, Date.now);
    const deps = depsOf(store, config, connection.vendor, inSmallPages(connection.client), capabilities);
    while ((await runDuePolls(deps, capabilities)) > 0);
  } finally {
    await connection.close();
  }
}

function inSmallPages({ searchAll, ...client }: FhirClient): FhirClient {
  return { ...client, searchAll: (type, query, limits) => searchAll(type, { ...query, _count: '3' }, limits) };
}

function depsOf(
  store: Store,
  config: ReturnType<typeof aConnection>,
  vendor: ReturnType<typeof openConnection>['vendor'],
  client: FhirClient,
  capabilities: ReturnType<typeof cachedCapabilities>,
): LaneDeps {
  const abilities = async () => readAbilities(openConnection(config), capabilities, await noMappings());
  const lane = { config, configuration: configurationOf(config), vendor, client, abilities };
  return testDeps(store, { connections: new Map([[config.id, lane]]), mappings: noMappings });
}

function noMappings(): never {
  throw new Error('A poll needs no mapping.');
}

/** Every resource of the server that is not in the store as it is there, or does not wait to be taken up. */
async function lost(): Promise<string[]> {
  const { rows } = await database.query<{ name: string; body: JsonObject }>(
    `select resource_type || '/' || remote_id as name, body from casebridge.seen where news_since is not null`,
  );
  const seen = new Map(rows.map(({ name, body }) => [name, contentHash(body)]));
  const there = (await Promise.all(types.map((type) => server.all(type)))).flat();
  expect(there).toHaveLength(24);
  return there
    .map((one) => `${one.resourceType}/${one.id}`)
    .filter((name, at) => seen.get(name) !== contentHash(there[at] ?? null));
}

async function clear(): Promise<void> {
  await database.exec(
    ['connection', 'poll', 'roster', 'seen', 'lane', 'poll_unreadable', 'alert']
      .map((table) => `delete from casebridge.${table}`)
      .join(';'),
  );
  await server.control('POST', 'reset');
  await server.settings({ auth: 'none' });
  await server.seed(...patients.map((id) => ({ resourceType: 'Patient', id })));
  // Far apart, so that the overlap of a later poll does not make up for a cursor that moved too early.
  for (const [hours, which] of [
    [2, (number: number) => number < 4],
    [1, (number: number) => number >= 4],
  ] as const) {
    await server.control('POST', 'clock', { now: new Date(Date.now() - hours * 3_600_000).toISOString() });
    await server.seed(...resourcesAt(0, which));
  }
  await server.control('POST', 'clock', { real: true });
}

/** One life that is cut after so many steps, edits by the other side, and one that is not cut. @returns the steps of the first */
async function trial(until: number): Promise<number> {
  await clear();
  const first = new Life({ until });
  if (!(await first.lives(() => poll(first)))) await first.buried();
  await server.seed(...resourcesAt(1, (number) => number % 3 === 0));
  const second = new Life();
  await second.lives(() => poll(second));
  return first.steps.length;
}

test(`${crashes} deaths at drawn points of polling: nothing is lost`, async () => {
  const steps = await trial(Number.POSITIVE_INFINITY);
  expect(await lost()).toEqual([]);
  expect(steps).toBeGreaterThan(80);
  const dice = stream(20_260_302, 'deaths');
  for (let time = 0; time < crashes; time += 1) {
    const until = 1 + Math.floor(dice.next() * steps);
    await trial(until);
    expect({ until, lost: await lost() }).toEqual({ until, lost: [] });
  }
  // Reported with n: no loss in n trials shows a rate below 3/n.
  console.info(`polls killed at ${crashes} of ${steps} steps: 0 lost`);
}, 600_000);
