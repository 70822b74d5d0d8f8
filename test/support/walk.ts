// A gateway's life cut at each of its steps in turn, always followed by one that is not cut. What is left is judged from the server's own store
// and journal, and from the tables of the database.

import { PGlite } from '@electric-sql/pglite';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { wantAll } from '../../src/lanes/lanes.ts';
import type { RecordType } from '../../src/records/records.ts';
import { embeddedBacking } from '../../src/store/embedded.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { type Backing, type Store, sql, storeOn } from '../../src/store/store.ts';
import { aCase, aClient, aGoal, aNeed, anOrganization, aReferral, aWorker } from '../builders.ts';
import { snapshotOfStore } from './embedded.ts';
import { Life, type LifeOptions, mortalBacking } from './mortal.ts';
import {
  aConfig,
  aConnection,
  accept,
  eventually,
  idle,
  ownValue,
  startServer,
  type TestServer,
  testLogger,
} from './rig.ts';

/** A database and a server that outlive the gateways on them. */
export interface Site {
  readonly server: TestServer;
  /** Starts a gateway as part of a life. */
  start(life: Life): Promise<Gateway>;
  /** What passes between a death and the next start. */
  afterDeath(life: Life): Promise<void>;
  /** Back to an empty database and an empty server. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** One thing that happens to a gateway. Done again after a death: a sender without an answer sends once more. */
export type Act = (gateway: Gateway, site: Site) => Promise<void>;

/**
 * Lets a gateway live as long as `options` say, and another one after it do the rest.
 * @returns the living gateway, and the steps of the first life
 */
export async function play(
  site: Site,
  options: LifeOptions,
  acts: readonly Act[],
): Promise<{ gateway: Gateway; life: Life; steps: readonly string[] }> {
  const first = new Life(options);
  let life = first;
  let gateway: Gateway | undefined;
  for (let at = 0; at < acts.length || gateway === undefined; ) {
    const finished = await life.lives(async () => {
      gateway ??= await site.start(life);
      await acts[at]?.(gateway, site);
    });
    if (finished) {
      at += 1;
    } else {
      await life.buried();
      // Takes its timers away; the dead one itself gets no further than its next wait.
      void gateway?.stop();
      gateway = undefined;
      await site.afterDeath(life);
      life = new Life();
    }
  }
  return { gateway, life, steps: first.steps };
}

const hurried = { pollEveryMs: 3_600_000, rateLimit: { requestsPerSecond: 1000, concurrency: 1 } };

/** One lane at a time, and polls only when a test makes them due, so that a step has the same number in each walk. */
export function walkConfig(server: TestServer) {
  return aConfig([aConnection(server.base, hurried)]);
}

async function startOn(server: TestServer, backing: Backing, life: Life): Promise<Gateway> {
  return startGateway({
    config: walkConfig(server),
    logger: testLogger,
    lanes: true,
    open: () => storeOn(mortalBacking(backing, life)),
  });
}

/** On one PGlite in memory, which every gateway opens as a restart opens its folder. */
export async function embeddedSite(): Promise<Site> {
  const server = await startServer();
  const database = await PGlite.create({ loadDataDir: await snapshotOfStore() });
  const backings = new Map<Life, Backing>();
  const names = await database.query<{ name: string }>(tableNames);
  const tables = names.rows.map(({ name }) => name).join(', ');
  return {
    server,
    start(life) {
      const backing: Backing = { ...embeddedBacking(database), close: async () => {} };
      backings.set(life, backing);
      return startOn(server, backing, life);
    },
    async afterDeath(life) {
      // The dead one's rollback has its turn before this.
      const client = await backings.get(life)?.pool.connect();
      await client?.query('select 1', []);
      backings.clear();
    },
    async clear() {
      await database.exec(`truncate ${tables}`);
      await server.control('POST', 'reset');
    },
    async close() {
      await database.close();
      await server.stop();
    },
  };
}

/** On a database of a PostgreSQL server. */
export async function postgresSite(url: string): Promise<Site> {
  const server = await startServer();
  const keeper = await storeOn(await openPostgres(url));
  const run = (text: string) => sql.raw(text).execute(keeper.db);
  return {
    server,
    async start(life) {
      const backing = await openPostgres(url);
      life.atEnd(() => backing.pool.end());
      return startOn(server, backing, life);
    },
    async afterDeath() {
      for (const statement of laterByAnHour) await run(statement);
      await dropQueue(keeper);
    },
    async clear() {
      const { rows } = await sql<{ name: string }>`${sql.raw(tableNames)}`.execute(keeper.db);
      await run(`truncate ${rows.map(({ name }) => name).join(', ')}`);
      await server.control('POST', 'reset');
    },
    async close() {
      await keeper.close();
      await server.stop();
    },
  };
}

const tableNames = `
  select schemaname || '.' || quote_ident(tablename) as name from pg_tables
  where schemaname in ('casebridge', 'bullmq') and tablename not like '%migration%'`;

/**
 * Other processes wait until what a dead one held runs out: minutes for a lease of a lane, a request or a poll. Instead of waiting, those times
 * are moved back.
 */
const laterByAnHour = [
  `update lane set lease_until = lease_until - interval '1 hour', queued_until = queued_until - interval '1 hour',
     next_try_at = next_try_at - interval '1 hour'`,
  `update operation set send_before = send_before - interval '1 hour', missed_at = missed_at - interval '1 hour'`,
  `update match_lease set until = until - interval '1 hour'`,
  `update poll set lease_until = lease_until - interval '1 hour'`,
];

/** A dead process's job is found after 15 s (test/queue); here the queue loses everything at each death, which must cost nothing either. */
async function dropQueue(store: Store): Promise<void> {
  const { rows } = await sql<{ name: string }>`${sql.raw(tableNames)}`.execute(store.db);
  const queue = rows.filter(({ name }) => name.startsWith('bullmq.'));
  if (queue.length > 0) await sql.raw(`truncate ${queue.map(({ name }) => name).join(', ')}`).execute(store.db);
}

/** One case with all that it needs, in the order in which a source would send it. */
export function smallCase(): (readonly [RecordType, JsonObject])[] {
  const agency = anOrganization({ id: 'org-riverside', name: 'Riverside Family Services', kind: 'case-management' });
  return [
    ['organization', agency],
    ['organization', anOrganization()],
    ['worker', aWorker()],
    ['client', aClient()],
    ['case', aCase()],
    ['need', aNeed()],
    ['goal', aGoal()],
    ['referral', aReferral({ serviceId: undefined, requestedText: 'Weekly groceries, edition 0' })],
  ];
}

export const slotsOfSmallCase = [
  'county/organization/org-riverside#organization',
  'county/organization/org-pantry#organization',
  'county/worker/worker-okafor#practitioner',
  'county/worker/worker-okafor#role',
  'county/client/client-rosa#patient',
  'county/case/case-rosa#episode',
  'county/case/case-rosa#team',
  'county/need/need-food#condition',
  'county/goal/goal-meals#goal',
  'county/referral/referral-pantry#request',
  'county/referral/referral-pantry#fulfilment',
];

/** The source sends the case. */
export const sendCase: Act = async (gateway) => {
  await accept(gateway, ...smallCase());
};

export const rest: Act = (gateway) => idle(gateway);

/** The source sends another edition of the referral. */
export function sendEdition(edition: number): Act {
  const updatedAt = new Date(Date.parse('2026-02-05T10:00:00-05:00') + edition * 60_000).toISOString();
  const referral = aReferral({
    serviceId: undefined,
    requestedText: `Weekly groceries, edition ${edition}`,
    updatedAt,
  });
  return async (gateway) => {
    await accept(gateway, ['referral', referral]);
  };
}

/** The partner moves the Task there, if it is not there yet. */
export function partnerMoves(status: string): Act {
  return async (_gateway, { server }) => {
    const task = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
    if (task.status === status) return;
    const current = await server.fhir('GET', `Task/${task.id}`);
    const reply = await server.fhir(
      'PUT',
      `Task/${task.id}`,
      { ...current.body, status },
      { 'if-match': current.etag ?? '' },
    );
    if (reply.status !== 200) throw new Error(`the partner's ${status} was answered with ${reply.status}`);
  };
}

/** Every poll runs once more. */
export const poll: Act = async ({ api: { store } }) => {
  const asked = await store.now();
  await store.db.updateTable('poll').set({ next_at: asked }).execute();
  await eventually(async () => {
    const rows = await store.db.selectFrom('poll').select('resource_type').where('next_at', '<=', asked).execute();
    return rows.length === 0;
  }, 'the polls');
};

/** Every lane runs again and reads every linked resource. */
export const readAgain: Act = async (gateway) => {
  await wantAll(gateway.api.store, [...gateway.api.config.connections.keys()]);
  await idle(gateway);
};

/** All that carries our identifier, under it: each content without what the server adds, and references by what they point at. */
export async function portrait(server: TestServer): Promise<Record<string, JsonObject[]>> {
  const types = [
    ...new Set((await server.writes()).flatMap(({ writes }) => (Array.isArray(writes) ? writes : [])).map(typeOf)),
  ];
  const all = (await Promise.all(types.map((type) => server.all(type)))).flat();
  const names = new Map(
    all.map((resource) => [`${resource.resourceType}/${resource.id}`, ownValue(resource) ?? 'a stranger']),
  );
  const result: Record<string, JsonObject[]> = {};
  for (const resource of all) {
    const { id: _id, meta, ...content } = resource;
    const { versionId: _version, lastUpdated: _time, ...labels } = isObject(meta) ? meta : {};
    const name = names.get(`${resource.resourceType}/${resource.id}`) ?? '';
    result[name] = [...(result[name] ?? []), renamed({ ...content, meta: labels }, names)];
  }
  return result;
}

function typeOf(write: Json): string {
  return isObject(write) ? String(write.resourceType) : '';
}

function renamed(resource: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  return JSON.parse(JSON.stringify(resource), (key, value) =>
    key === 'reference' ? (names.get(value) ?? value) : value,
  );
}

/** What a gateway at rest must not leave behind. */
export async function unfinished({ api: { store } }: Gateway): Promise<Record<string, unknown[]>> {
  const { db } = store;
  const [operations, lanes, decisions, waiting, alerts] = await Promise.all([
    db.selectFrom('operation').select(['id', 'kind', 'resource_type']).where('outcome', 'is', null).execute(),
    db
      .selectFrom('lane')
      .select(['subject', 'reason'])
      .where(({ or, eb, ref }) =>
        or([eb('done', '<', ref('wanted')), eb('lease_holder', 'is not', null), eb('parked', 'is not', null)]),
      )
      .execute(),
    db.selectFrom('decision').select(['kind', 'topic']).execute(),
    db.selectFrom('waiting').select(['subject', 'type', 'id', 'slot']).execute(),
    db.selectFrom('alert').select('topic').execute(),
  ]);
  return { operations, lanes, decisions, waiting, alerts };
}

export const nothing = { operations: [], lanes: [], decisions: [], waiting: [], alerts: [] };

/** How many versions each record has, by its name. */
export async function versions({ api: { store } }: Gateway): Promise<Record<string, number>> {
  const rows = await store.db.selectFrom('record').select(['type', 'id', 'version']).execute();
  return Object.fromEntries(rows.map(({ type, id, version }) => [`${type}/${id}`, version]));
}

export function changes({ api: { store } }: Gateway) {
  return store.db.selectFrom('change').select(['cursor', 'op', 'type', 'id', 'body']).orderBy('cursor').execute();
}
