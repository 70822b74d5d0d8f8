// A store, a sandbox and the lane core, without queue, feeder and timers: records are accepted, lanes run and polls are made when a test says
// so. What came of it is read from the sandbox's own store and journal.

import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import type { ConnectionConfig } from '../../src/config.ts';
import {
  type Connection,
  type ConnectionParts,
  type FhirClient,
  openConnection,
} from '../../src/connections/connections.ts';
import { mappingFolder } from '../../src/gateway.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import {
  activateMapping,
  activeMappings,
  applyDecision,
  type ConnectionReport,
  cachedCapabilities,
  configurationOf,
  connectionReport,
  decide,
  type LaneConnection,
  type LaneDeps,
  noteOff,
  prepareConnection,
  preparePolls,
  readAbilities,
  runDuePolls,
  runLane,
  wantAll,
} from '../../src/lanes/lanes.ts';
import { type MappingFile, readMappingFiles } from '../../src/mapping/mapping.ts';
import { acceptRecords } from '../../src/records/records.ts';
import { type Store, sql } from '../../src/store/store.ts';
import { checked, type Item } from './caseload.ts';
import { sharedEmbedded, tablesOf } from './embedded.ts';
import { targetsOf } from './provenance.ts';
import { aConnection, startServer, type TestServer, testDeps } from './rig.ts';

export interface World {
  readonly server: TestServer;
  readonly store: Store;
  readonly deps: LaneDeps;
  /** What the server of a connection declares. */
  capabilities(connection: string): ReturnType<ReturnType<typeof cachedCapabilities>>;
  accept(...items: readonly Item[]): Promise<void>;
  /** Runs every lane that has work until none has, cutting waits for a next try short; a lane is tried at most so often. */
  work(options?: { tries?: number; deps?: Partial<LaneDeps> }): Promise<void>;
  /** Accepts records and does the work that they make. */
  send(...items: readonly Item[]): Promise<void>;
  /** One run of one lane, if it is due. */
  run(subject: string, options?: { connection?: string; deps?: Partial<LaneDeps> }): Promise<void>;
  /** One poll of every kind on every connection, now. */
  poll(changed?: Partial<LaneDeps>): Promise<void>;
  /** A second look at everything. */
  workAgain(): Promise<void>;
  /** Does something right before the next write leaves, once: what a partner does between our read and our write. */
  beforeNextWrite(action: () => Promise<void>): void;
  /** Activates the shipped mapping with a changed text. */
  remap(path: string, change: (text: string) => string): Promise<void>;
  /** Puts a connection beside the others, as a start with it in the configuration would. */
  connect(config: ConnectionConfig, parts?: ConnectionParts): Promise<void>;
  /** Takes a connection out, as a start without it in the configuration would. */
  disconnect(id: string): Promise<void>;
  decide(kind: string, choose: string): Promise<void>;
  /** What `doctor` and the API say of a connection; of one source alone where it is named. */
  report(connection?: string, source?: string): Promise<ConnectionReport>;
  openDecisions(): Promise<DecisionView[]>;
  lane(subject: string, connection?: string): Promise<LaneView>;
  link(name: string, connection?: string): Promise<LinkView>;
  changes(): Promise<JsonObject[]>;
  alerts(): Promise<{ topic: string; code: string; count: number }[]>;
}

export interface DecisionView {
  readonly kind: string;
  readonly topic: string;
  readonly code: string;
  readonly detail: JsonObject;
  readonly choices: readonly string[];
}

export interface LaneView {
  readonly hasWork: boolean;
  readonly waiting: boolean;
  readonly parked: string | undefined;
  readonly reason: string | undefined;
  readonly nextLookAt: Date | null;
  readonly attempts: number;
}

export interface LinkView {
  readonly generation: number;
  readonly remoteId: string | null;
  readonly origin: string;
  readonly state: string;
  readonly reason: string | undefined;
  readonly retired: boolean;
}

/**
 * One sandbox and one store for a test file, emptied before each test. `config` is the connection that each test begins with, to the server of
 * its vendor, which asks for no token here.
 */
export function useWorld(config: Partial<ConnectionConfig> = {}): World {
  const { vendor = 'standard' } = config;
  let server: TestServer;
  let store: Store;
  let opened: Connection[] = [];
  const configs = new Map<string, ConnectionConfig>();
  const connections = new Map<string, LaneConnection>();
  const capabilities = new Map<string, ReturnType<typeof cachedCapabilities>>();
  let deps: LaneDeps;
  let shipped: MappingFile[];
  let emptyTables: string;
  let between: (() => Promise<void>) | undefined;

  const watched = (client: FhirClient): FhirClient => ({
    ...client,
    send: async (request) => {
      const action = request.method === 'GET' ? undefined : between;
      if (action !== undefined) {
        between = undefined;
        await action();
      }
      return client.send(request);
    },
  });

  beforeAll(async () => {
    [server, store] = await Promise.all([startServer(vendor), sharedEmbedded()]);
    emptyTables = await emptying(store);
    shipped = await readMappingFiles(mappingFolder);
    deps = testDeps(store, { connections, mappings: activeMappings(store) });
  }, 60_000);

  afterAll(async () => {
    for (const connection of opened) connection.close();
    await server?.stop();
    await store?.close();
  });

  beforeEach(async () => {
    for (const connection of opened) connection.close();
    opened = [];
    configs.clear();
    connections.clear();
    capabilities.clear();
    await server.control('POST', 'reset');
    await server.settings({ auth: 'none' });
    await sql.raw(emptyTables).execute(store.db);
    between = undefined;
    await activateMapping(store, shipped);
    await world.connect(aConnection(server.base, config));
  });

  const row = async (subject: string, connection: string) =>
    store.db
      .selectFrom('lane')
      .selectAll()
      .where('connection', '=', connection)
      .where('subject', '=', subject)
      .executeTakeFirstOrThrow();

  const world: World = {
    get server() {
      return server;
    },
    get store() {
      return store;
    },
    get deps() {
      return deps;
    },

    async accept(...items) {
      await store.tx((trx) => acceptRecords(trx, 'county', checked(items), [...configs.values()]));
    },

    async work({ tries = 8, deps: changed = {} } = {}) {
      const tried = new Map<string, number>();
      for (;;) {
        const due = await store.db
          .selectFrom('lane')
          .leftJoin('connection', 'connection.id', 'lane.connection')
          .select(['lane.connection', 'lane.subject'])
          .whereRef('done', '<', 'wanted')
          .where('paused', 'is', null)
          .orderBy('priority')
          .orderBy('due_at')
          .orderBy('lane.subject')
          .execute();
        const next = due.find(({ connection, subject }) => (tried.get(`${connection} ${subject}`) ?? 0) < tries);
        if (next === undefined) return;
        const name = `${next.connection} ${next.subject}`;
        tried.set(name, (tried.get(name) ?? 0) + 1);
        await world.run(next.subject, { connection: next.connection, deps: changed });
      }
    },

    async send(...items) {
      await world.accept(...items);
      await world.work();
    },

    async run(subject, { connection = 'general', deps: changed = {} } = {}) {
      await store.db
        .updateTable('lane')
        .set({ next_try_at: null })
        .where('connection', '=', connection)
        .where('subject', '=', subject)
        .execute();
      await runLane({ ...deps, ...changed }, { connection, subject });
    },

    async poll(changed = {}) {
      await store.db.updateTable('poll').set({ next_at: sql<Date>`now()` }).execute();
      await runDuePolls({ ...deps, ...changed }, world.capabilities);
    },

    async capabilities(id) {
      const read = capabilities.get(id);
      if (read === undefined) throw new Error(`no connection ${id}`);
      return read();
    },

    async workAgain() {
      await wantAll(store, [...connections.keys()]);
      await world.work();
    },

    beforeNextWrite(action) {
      between = action;
    },

    async remap(path, change) {
      const files = shipped.map((file) => (file.path === path ? { ...file, text: change(file.text) } : file));
      if (files.every(({ text }, at) => text === shipped[at]?.text)) throw new Error(`nothing changed in ${path}`);
      await activateMapping(store, files);
    },

    async connect(added, parts) {
      if (added.mode === 'off') return world.disconnect(added.id);
      const connection = openConnection(added, parts);
      opened.push(connection);
      const read = cachedCapabilities(store, connection, Date.now);
      configs.set(added.id, added);
      capabilities.set(added.id, read);
      connections.set(added.id, {
        config: added,
        configuration: configurationOf(added),
        vendor: connection.vendor,
        client: watched(connection.client),
        abilities: (mappings) => readAbilities(connection, read, mappings),
      });
      await prepareConnection(store, added);
      await preparePolls(store, added, connection.vendor);
    },

    async disconnect(id) {
      configs.delete(id);
      connections.delete(id);
      await noteOff(store, [...configs.keys()]);
    },

    async report(id = 'general', source) {
      const connection = opened.findLast((one) => one.id === id);
      const lane = connections.get(id);
      if (connection === undefined || lane === undefined) throw new Error(`no connection ${id}`);
      return connectionReport(deps, connection, lane, source);
    },

    async decide(kind, choose) {
      const { id } = await store.db
        .selectFrom('decision')
        .select('id')
        .where('kind', '=', kind)
        .where('state', '=', 'open')
        .executeTakeFirstOrThrow();
      await decide(store, id, { choose, by: 'Ida' }, applyDecision);
    },

    async openDecisions() {
      const rows = await store.db
        .selectFrom('decision')
        .selectAll()
        .where('state', '=', 'open')
        .orderBy('id')
        .execute();
      return rows.map(({ kind, topic, reason, detail, choices }) => ({
        kind,
        topic,
        code: codeOf(reason) ?? '',
        detail,
        choices: (Array.isArray(choices) ? choices : []).flatMap((choice) =>
          isObject(choice) ? [String(choice.choose)] : [],
        ),
      }));
    },

    async lane(subject, connection = 'general') {
      const {
        done,
        wanted,
        waiting,
        parked,
        reason,
        next_look_at: nextLookAt,
        attempts,
      } = await row(subject, connection);
      return { hasWork: done < wanted, waiting, parked: codeOf(parked), reason: codeOf(reason), nextLookAt, attempts };
    },

    async link(name, connection = 'general') {
      const [, type = '', id = '', slot = ''] = /^(\w+)\/([^#]+)#(.+)$/.exec(name) ?? [];
      const found = await store.db
        .selectFrom('link')
        .selectAll()
        .where('connection', '=', connection)
        .where('type', '=', type)
        .where('id', '=', id)
        .where('slot', '=', slot)
        .orderBy('generation', 'desc')
        .executeTakeFirst();
      if (found === undefined) throw new Error(`no link ${name}`);
      const { generation, remote_id: remoteId, origin, state, reason, retired_at: retiredAt } = found;
      return { generation, remoteId, origin, state, reason: codeOf(reason), retired: retiredAt !== null };
    },

    async changes() {
      const rows = await store.db.selectFrom('change').selectAll().orderBy('cursor').execute();
      return rows.map(({ op, type, id, body }) => ({ op, type, id, body }));
    },

    async alerts() {
      const rows = await store.db.selectFrom('alert').selectAll().where('resolved_at', 'is', null).execute();
      return rows.map(({ topic, reason, count }) => ({ topic, code: codeOf(reason) ?? '', count }));
    },
  };
  return world;
}

/**
 * What deletes the rows of all tables but the mappings, and lets every count begin at 1 again: ten times as fast as to truncate them, which makes each
 * file of each index anew.
 */
async function emptying(store: Store): Promise<string> {
  const emptied = (await tablesOf(store)).filter(({ name }) => !['identity', 'mapping'].includes(name));
  return [
    ...emptied.map(({ name }) => `delete from ${name}`),
    ...emptied
      .filter(({ counts }) => counts)
      .map(({ name }) => `select setval(pg_get_serial_sequence('${name}', 'id'), 1, false)`),
  ].join(';');
}

function codeOf(reason: unknown): string | undefined {
  return typeof reason === 'object' && reason !== null && 'code' in reason ? String(reason.code) : undefined;
}

/** How many resources a server holds under one of our identifiers, by journal and store alike: its creates in the journal. */
export async function creates(server: TestServer, resourceType: string): Promise<number> {
  const writes = (await server.journal()).flatMap(({ writes: made }) =>
    Array.isArray(made) ? made.filter(isObject) : [],
  );
  return writes.filter((write) => write.kind === 'create' && write.resourceType === resourceType).length;
}

/** A partner's edit by FHIR: reads the resource, changes it and puts it back. */
export async function partnerEdits(
  server: TestServer,
  path: string,
  change: (resource: JsonObject) => JsonObject,
): Promise<void> {
  const { body, etag } = await server.fhir('GET', path);
  const reply = await server.fhir('PUT', path, change(body), etag === undefined ? {} : { 'if-match': etag });
  if (reply.status !== 200) throw new Error(`the partner's edit of ${path} was answered ${reply.status}`);
}

/** Deletes a resource there, as the server's own people would: first what tells of it, as a server that keeps references whole wants. */
export async function deletedThere(server: TestServer, path: string): Promise<void> {
  const telling = (await server.all('Provenance')).filter((one) => targetsOf(one).includes(path));
  for (const { id } of telling) await server.fhir('DELETE', `Provenance/${id}`);
  const { status } = await server.fhir('DELETE', path);
  if (status !== 204) throw new Error(`DELETE ${path} was answered ${status}`);
}
