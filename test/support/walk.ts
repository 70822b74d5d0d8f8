// A gateway's life cut at each of its steps in turn, always followed by one that is not cut. It does what src/gateway.ts does at a start and
// between two wake-ups, without queue and timers: a wake-up may be lost at any time (lanes.md 2), and the numbers of the steps are the same in
// each walk. What is left is judged from the server's own store and journal, and from the tables of the database.

import { PGlite } from '@electric-sql/pglite';
import type { ConnectionConfig } from '../../src/config.ts';
import { openConnection } from '../../src/connections/connections.ts';
import { mappingFolder } from '../../src/gateway.ts';
import type { JsonObject } from '../../src/json.ts';
import { feed } from '../../src/lanes/feeder.ts';
import {
  activateMapping,
  applyDecision,
  cachedCapabilities,
  checkIdentity,
  configurationOf,
  decide,
  freeDeadLeases,
  type LaneDeps,
  type LaneKey,
  prepareConnection,
  preparePolls,
  readAbilities,
  relinkPatient,
  runDuePolls,
  runLane,
  wantAll,
} from '../../src/lanes/lanes.ts';

import { compileMappings, type MappingSet, readMappingFiles } from '../../src/mapping/mapping.ts';
import { acceptRecords } from '../../src/records/records.ts';
import { embeddedBacking } from '../../src/store/embedded.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { type Backing, type Store, storeOn } from '../../src/store/store.ts';
import { aCase, aClient, aGoal, aNeed, anOrganization, aReferral, aWorker } from '../builders.ts';
import { checked, type Item } from './caseload.ts';
import { snapshotOfStore } from './embedded.ts';
import { Life, type LifeOptions, mortalBacking } from './mortal.ts';
import { laterByAnHour } from './processes.ts';
import { aConnection, identifierSystem, startServer, type TestServer, testDeps } from './rig.ts';

type Row = Readonly<Record<string, unknown>>;

/** A database and a server that outlive the gateways on them. */
export interface Site {
  readonly server: TestServer;
  /** The connection to it. */
  readonly config: ConnectionConfig;
  /** Makes the server, which was reset, what it is here. */
  prepare(): Promise<void>;
  /** The shipped mapping, made the active one where the store names none yet. */
  mappings(store: Store): Promise<MappingSet>;
  /** The database as a life meets it. */
  open(life: Life): Promise<Backing>;
  /** Asks the database past every life. */
  rows(text: string): Promise<Row[]>;
  /** What passes between a death and the next start. */
  afterDeath(life: Life): Promise<void>;
  close(): Promise<void>;
}

/** A gateway without queue and timers. */
export interface Core {
  /** The source sends these records. */
  accept(items: readonly Item[]): Promise<void>;
  /** Runs what is due, one lane after the other, until nothing is. */
  rest(): Promise<void>;
  /** Runs every poll once, now, one after the other. */
  poll(): Promise<void>;
  /** Wants every lane, and every linked resource read again. */
  wantAll(): Promise<void>;
  /** A person answers the open question of this kind; one that is answered already stays so. */
  decide(kind: string, choose: string): Promise<void>;
  /** A person says which patient Rosa is. */
  relink(patient: string): Promise<void>;
  /** Closes the sockets to the server. */
  close(): void;
}

/** One thing that happens to a gateway. Done again after a death: a sender without an answer sends once more. */
export type Act = (core: Core, site: Site) => Promise<void>;

/**
 * Lets a gateway live as long as `options` say, and another one after it do the rest.
 * @returns the living one, and the steps of the first
 */
export async function play(
  site: Site,
  options: LifeOptions,
  acts: readonly Act[],
): Promise<{ core: Core; steps: readonly string[]; end: () => Promise<void> }> {
  const first = new Life(options);
  let life = first;
  let started: Started | undefined;
  for (let at = 0; at < acts.length; ) {
    const finished = await life.lives(async () => {
      started ??= await start(site, life);
      await acts[at]?.(started.core, site);
    });
    if (finished) {
      at += 1;
    } else {
      await life.buried();
      started?.core.close();
      started = undefined;
      await site.afterDeath(life);
      life = new Life();
    }
  }
  life.spare();
  if (started === undefined) throw new Error('There was nothing to do.');
  return { core: started.core, steps: first.steps, end: started.end };
}

interface Started {
  readonly core: Core;
  end(): Promise<void>;
}

const mostRounds = 1_000;

async function start(site: Site, life: Life): Promise<Started> {
  const { config } = site;
  const store = await storeOn(mortalBacking(await site.open(life), life));
  await checkIdentity(store, identifierSystem);
  const mappings = await site.mappings(store);
  await freeDeadLeases(store);
  await prepareConnection(store, config);
  const connection = openConnection(config);
  await preparePolls(store, config, connection.vendor);
  const capabilities = cachedCapabilities(store, connection, Date.now);
  const abilities = async () => readAbilities(connection, capabilities, mappings);
  const lane = {
    config,
    configuration: configurationOf(config),
    vendor: connection.vendor,
    client: connection.client,
    abilities,
  };
  const deps = testDeps(store, { connections: new Map([[config.id, lane]]), mappings: async () => mappings });
  const core: Core = {
    accept: async (items) => void (await store.tx((trx) => acceptRecords(trx, 'county', checked(items), [config]))),
    async rest() {
      for (let round = 0; round < mostRounds; round += 1) {
        const due = await claim(deps, config);
        for (const lane of due) await runLane(deps, lane);
        if (due.length === 0 && (await site.rows(tryNow)).length === 0) return;
      }
      throw new Error(`Lanes do not come to rest: ${JSON.stringify(await site.rows(unfinishedLanes))}`);
    },
    async poll() {
      for (const type of config.polls.types) {
        await site.rows(`
          update casebridge.poll set next_at = now() + case resource_type when '${type}' then 0 else 1 end * interval '1 hour'`);
        await runDuePolls(deps, capabilities);
      }
    },
    wantAll: async () => void (await wantAll(store, [config.id])),
    async decide(kind, choose) {
      const open = store.db.selectFrom('decision').select('id').where('kind', '=', kind).where('state', '=', 'open');
      const found = await open.executeTakeFirst();
      if (found !== undefined) await decide(store, found.id, { choose, by: 'Ida' }, applyDecision);
    },
    async relink(patient) {
      await relinkPatient(store, {
        connection: config.id,
        source: 'county',
        clientId: 'client-rosa',
        patient,
        by: 'Ida',
      });
    },
    close: () => connection.close(),
  };
  const end = async () => {
    core.close();
    await store.close();
  };
  return { core, end };
}

// One lane and one request at a time, so that a step has the same number in each walk.
const hurried: Partial<ConnectionConfig> = {
  pollEveryMs: 3_600_000,
  rateLimit: { requestsPerSecond: 10_000, concurrency: 1 },
};

async function claim({ store }: LaneDeps, config: ConnectionConfig): Promise<LaneKey[]> {
  const claimed: LaneKey[] = [];
  await feed({
    store,
    connections: () => [{ id: config.id, configuration: configurationOf(config), slots: 1 }],
    add: async (lanes) => void claimed.push(...lanes),
    onError: (error) => {
      throw error;
    },
  });
  return claimed;
}

/** Waits for a next try are cut short. */
const tryNow = `
  update casebridge.lane set next_try_at = null
  where done < wanted and next_try_at is not null returning connection, subject`;

/** How a site differs from a `standard` one. */
export interface SiteOptions {
  readonly connection?: Partial<ConnectionConfig>;
  readonly settings?: JsonObject;
}

/** A server that looks for no earlier one of ours before it creates: what is not doubled there is our own doing. */
const plain: JsonObject = { conditionalCreate: false };

async function startSite({
  connection = {},
  settings = plain,
}: SiteOptions): Promise<Pick<Site, 'server' | 'config' | 'prepare'>> {
  const server = await startServer(connection.vendor);
  const prepare = async () => void (await server.settings(settings));
  await prepare();
  return { server, prepare, config: aConnection(server.base, { ...hurried, ...connection }) };
}

/** Compiled once: a gateway that finds its mapping active compiles it too, which takes long and changes nothing. */
async function shippedMappings(): Promise<Site['mappings']> {
  const files = await readMappingFiles(mappingFolder);
  const compiled = compileMappings(files);
  if (!('set' in compiled)) throw new Error('The shipped mappings are broken.');
  return async (store) => {
    const active = await store.db.selectFrom('mapping').select('version').where('active', '=', true).executeTakeFirst();
    if (active?.version !== compiled.set.version) await activateMapping(store, files);
    return compiled.set;
  };
}

/** On one PGlite in memory, which every gateway opens as a restart opens its folder. */
export async function embeddedSite(options: SiteOptions = {}): Promise<Site> {
  const [site, mappings] = await Promise.all([startSite(options), shippedMappings()]);
  const database = await PGlite.create({ loadDataDir: await snapshotOfStore() });
  const backings = new Map<Life, Backing>();
  return {
    ...site,
    mappings,
    async open(life) {
      const backing: Backing = { ...embeddedBacking(database), close: async () => {} };
      backings.set(life, backing);
      return backing;
    },
    rows: async (text) => (await database.query<Row>(text)).rows,
    async afterDeath(life) {
      // The dead one's rollback has its turn before this.
      const client = await backings.get(life)?.pool.connect();
      await client?.query('select 1', []);
      backings.clear();
    },
    async close() {
      await database.close();
      await site.server.stop();
    },
  };
}

/** On a database of a PostgreSQL server. */
export async function postgresSite(url: string): Promise<Site> {
  const [site, mappings] = await Promise.all([startSite({}), shippedMappings()]);
  const keeper = await openPostgres(url);
  const client = await keeper.pool.connect();
  return {
    ...site,
    mappings,
    async open(life) {
      const backing = await openPostgres(url);
      life.atEnd(() => backing.pool.end());
      return backing;
    },
    rows: async (text) => (await client.query<Row>(text, [])).rows,
    async afterDeath() {
      for (const statement of laterByAnHour) await client.query(statement, []);
    },
    async close() {
      client.release();
      await keeper.pool.end();
      await site.server.stop();
    },
  };
}

/** Back to an empty database and an empty server. */
export async function clear(site: Site): Promise<void> {
  const { rows, server, prepare } = site;
  const tables = await rows(`
    select 'casebridge.' || quote_ident(tablename) as name from pg_tables where schemaname = 'casebridge' and tablename <> 'migration'`);
  await rows(`truncate ${tables.map(({ name }) => name).join(', ')} restart identity`);
  await server.control('POST', 'reset');
  await prepare();
  lastRead.delete(site);
}

/** One that goes to the pantry's own server. */
export const pantryReferral = (changed: JsonObject) =>
  aReferral({ serviceId: undefined, requesterOrganizationId: 'org-pantry', ...changed });

/** One case with all that it needs, in the order in which a source would send it; a single organization plays every part. */
function smallCase(): Item[] {
  return [
    ['organization', anOrganization()],
    ['worker', aWorker({ organizationId: 'org-pantry' })],
    ['client', aClient()],
    ['case', aCase({ organizationId: 'org-pantry' })],
    ['need', aNeed()],
    ['goal', aGoal()],
    ['referral', pantryReferral({ requestedText: 'Weekly groceries, edition 0' })],
  ];
}

export const namesOfSmallCase = smallCase().map(([type, { id }]) => `${type}/${id}`);

export const slotsOfSmallCase = [
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

/** The source sends these records. */
export function send(...items: readonly Item[]): Act {
  return (core) => core.accept(items);
}

/** The source sends the case. */
export const sendCase: Act = (core) => core.accept(smallCase());

export const rest: Act = (core) => core.rest();

/** The source sends another edition of the referral. */
export function sendEdition(edition: number): Act {
  const updatedAt = new Date(Date.parse('2026-02-05T10:00:00-05:00') + edition * 60_000).toISOString();
  const requestedText = `Weekly groceries, edition ${edition}`;
  return (core) => core.accept([['referral', pantryReferral({ requestedText, updatedAt })]]);
}

/** The partner moves the Task there, if it is not there yet. */
export function partnerMoves(status: string): Act {
  return async (_core, { server }) => {
    const task = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
    if (task.status === status) return;
    const { body, etag } = await server.fhir('GET', `Task/${task.id}`);
    const reply = await server.fhir('PUT', `Task/${task.id}`, { ...body, status }, { 'if-match': etag ?? '' });
    if (reply.status !== 200) throw new Error(`the partner's ${status} was answered with ${reply.status}`);
  };
}

/** Polls until the source has been told so many changes. */
export function heard(count: number): Act {
  return async (core, site) => {
    for (let round = 0; (await changes(site)).length < count; round += 1) {
      if (round === 5) throw new Error(`The source was told ${(await changes(site)).length} changes, not ${count}.`);
      await core.poll();
      await core.rest();
    }
  };
}

/** What is new in the server's journal since the last call. */
export async function newEntries(site: Site): Promise<JsonObject[]> {
  const entries = await site.server.journal(lastRead.get(site) ?? 0);
  const last = entries.at(-1);
  if (last !== undefined) lastRead.set(site, Number(last.n));
  return entries;
}

const lastRead = new WeakMap<Site, number>();

const unfinishedLanes = `
  select subject, reason, parked from casebridge.lane where done < wanted or lease_holder is not null or parked is not null`;

/** What a gateway at rest must not leave behind. */
export async function unfinished({ rows }: Site): Promise<Record<string, unknown[]>> {
  return {
    operations: await rows('select id, kind, resource_type from casebridge.operation where outcome is null'),
    lanes: await rows(unfinishedLanes),
    decisions: await rows('select kind, topic from casebridge.decision'),
    waiting: await rows('select subject, type, id, slot from casebridge.waiting'),
    alerts: await rows('select topic from casebridge.alert'),
  };
}

export const nothing = { operations: [], lanes: [], decisions: [], waiting: [], alerts: [] };

/** How many versions each record has, by its name. */
export async function versions({ rows }: Site): Promise<Record<string, number>> {
  const found = await rows('select type, id, version from casebridge.record');
  return Object.fromEntries(found.map(({ type, id, version }) => [`${type}/${id}`, Number(version)]));
}

export function changes({ rows }: Site): Promise<Row[]> {
  return rows('select cursor, op, type, id, body from casebridge.change order by cursor');
}
