// Reads everything that a run decides from, in one snapshot (lanes.md 1), and turns it into the lane's resources.

import { sql, type Transaction } from 'kysely';
import { isOffered } from '../connections/connections.ts';
import type { JsonObject } from '../json.ts';
import type { Database } from '../store/store.ts';
import {
  type DecisionRow,
  type DesireInput,
  type DocumentsHeld,
  desire,
  patientTopic,
  type RunMemory,
} from './desire.ts';
import { editionsOf } from './editions.ts';
import { Known, type LinkRow, type RecordRow, type SeenRow } from './known.ts';
import type { Abilities, LaneConnection, LaneDeps } from './lane-connection.ts';
import type { LaneResource } from './lane-resource.ts';
import type { Lease } from './lease.ts';
import { type OperationRow, openOperations } from './operations.ts';

export interface LaneState {
  readonly resources: readonly LaneResource[];
  readonly known: Known;
  readonly openOperations: readonly OperationRow[];
  readonly openDecisions: readonly DecisionRow[];
  /** What the plan is made from, checked again when intents are stored (lanes.md 7). */
  readonly basis: PlanBasis;
  /** The client of the lane, if it has one. */
  readonly clientId: string | undefined;
  /** Database time of the snapshot. */
  readonly now: Date;
}

export interface PlanBasis {
  readonly mappingVersion: string;
  readonly connectionEpoch: number;
  readonly isPaused: boolean;
  readonly epochs: ReadonlyMap<string, number>;
}

export async function loadLane(
  deps: LaneDeps,
  connection: LaneConnection,
  abilities: Abilities,
  lease: Lease,
  memory: RunMemory,
): Promise<LaneState> {
  const mappings = await deps.mappings();
  const isTold = isOffered(connection.vendor.documents) && abilities.routes.some(({ route }) => route === 'document');
  return deps.store.tx(
    async (trx) => {
      const now = await databaseTime(trx);
      const own = await ownRecords(trx, lease);
      const links = await laneLinks(trx, lease);
      const seen = await seenResources(trx, lease, links);
      const decisions = await laneDecisions(trx, lease);
      const clientId = clientOf(own.map(({ type, content }) => ({ type, content })));
      const consents = clientId === undefined ? [] : await clientConsents(trx, lease.source, clientId);
      const known = new Known(own, links);
      const documents = isTold ? await documentsHeld(trx, deps, lease, own, clientId, now) : undefined;
      // Named as read, so that the lane runs again when the client, or a consent of the client, changes.
      if (clientId !== undefined) known.record('client', clientId);
      const input: DesireInput = {
        lease,
        connection,
        abilities,
        mappings,
        identifierSystem: deps.identifierSystem,
        known,
        seen,
        openDecisions: decisions.filter(({ state }) => state === 'open'),
        patientDecision: decisions.find(({ state, topic }) => state === 'decided' && topic === patientTopic),
        consents,
        today: now.toISOString().slice(0, 10),
        memory,
        documents,
      };
      let resources = desire(input);
      while (await known.fetchMissing(trx, lease)) resources = desire(input);
      return {
        resources,
        known,
        openOperations: await openOperations(trx, lease),
        openDecisions: input.openDecisions,
        basis: await planBasis(trx, lease, clientId, mappings.version),
        clientId,
        now,
      };
    },
    { isolation: 'repeatable read' },
  );
}

async function databaseTime(trx: Transaction<Database>): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select now() as now`.execute(trx);
  const [row] = rows;
  if (row === undefined) throw new Error('The database did not tell its time.');
  return row.now;
}

function ownRecords(trx: Transaction<Database>, lease: Lease) {
  return trx
    .selectFrom('record')
    .select(['type', 'id', 'version', 'content', 'deleted', 'updated_at', 'accepted_at'])
    .where('subject', '=', lease.subject)
    .orderBy('type')
    .orderBy('id')
    .execute();
}

function laneLinks(trx: Transaction<Database>, lease: Lease): Promise<LinkRow[]> {
  return trx
    .selectFrom('link')
    .selectAll()
    .where('connection', '=', lease.connection)
    .where('subject', '=', lease.subject)
    .orderBy('generation')
    .execute();
}

async function seenResources(
  trx: Transaction<Database>,
  lease: Lease,
  links: readonly LinkRow[],
): Promise<ReadonlyMap<string, SeenRow>> {
  const wanted = links.flatMap(({ resource_type, remote_id }) =>
    remote_id === null ? [] : [{ resource_type, remote_id }],
  );
  if (wanted.length === 0) return new Map();
  const rows = await trx
    .selectFrom('seen')
    .selectAll()
    .where('connection', '=', lease.connection)
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('resource_type', 'remote_id'),
        'in',
        wanted.map((one) => tuple(one.resource_type, one.remote_id)),
      ),
    )
    .execute();
  return new Map(rows.map((row) => [`${row.resource_type}/${row.remote_id}`, row]));
}

function laneDecisions(trx: Transaction<Database>, lease: Lease): Promise<DecisionRow[]> {
  return trx
    .selectFrom('decision')
    .selectAll()
    .where('connection', '=', lease.connection)
    .where('subject', '=', lease.subject)
    .orderBy('id', 'desc')
    .execute();
}

function clientOf(own: readonly { type: string; content: JsonObject }[]): string | undefined {
  const record = own.find(({ type }) => type === 'client') ?? own.find(({ type }) => type === 'case') ?? own[0];
  if (record === undefined) return undefined;
  const id = record.type === 'client' ? record.content.id : record.content.clientId;
  return typeof id === 'string' ? id : undefined;
}

async function documentsHeld(
  trx: Transaction<Database>,
  deps: LaneDeps,
  lease: Lease,
  own: readonly RecordRow[],
  clientId: string | undefined,
  now: Date,
): Promise<DocumentsHeld | undefined> {
  const caseRow = own.find(({ type }) => type === 'case');
  if (caseRow === undefined) return undefined;
  const connection = await trx
    .selectFrom('connection')
    .select('documents_held_until')
    .where('id', '=', lease.connection)
    .executeTakeFirst();
  return {
    editions: await editionsOf(trx, lease, caseRow.id),
    patient: clientId === undefined ? undefined : await seenPatient(trx, lease, clientId),
    heldUntil: connection?.documents_held_until ?? undefined,
    now,
    timeZone: deps.timeZone(lease.source),
  };
}

async function seenPatient(
  trx: Transaction<Database>,
  lease: Lease,
  clientId: string,
): Promise<JsonObject | undefined> {
  const row = await trx
    .selectFrom('link')
    .innerJoin('seen', (join) =>
      join
        .onRef('seen.connection', '=', 'link.connection')
        .onRef('seen.resource_type', '=', 'link.resource_type')
        .onRef('seen.remote_id', '=', 'link.remote_id'),
    )
    .select('seen.body')
    .where('link.connection', '=', lease.connection)
    .where('link.source', '=', lease.source)
    .where('link.type', '=', 'client')
    .where('link.id', '=', clientId)
    .where('link.retired_at', 'is', null)
    .executeTakeFirst();
  return row?.body ?? undefined;
}

async function clientConsents(trx: Transaction<Database>, source: string, clientId: string): Promise<JsonObject[]> {
  const rows = await trx
    .selectFrom('record')
    .select('content')
    .where('source', '=', source)
    .where('client_id', '=', clientId)
    .where('type', '=', 'consent')
    .where('deleted', '=', false)
    .execute();
  return rows.map(({ content }) => content);
}

/** Keys of the counters that a consent or a re-link raises (lanes.md 7). */
export function epochKeys(lease: Lease, clientId: string | undefined): string[] {
  if (clientId === undefined) return [];
  return [`client:${lease.source}/${clientId}`, `patient:${lease.connection}:${lease.source}/${clientId}`];
}

async function planBasis(
  trx: Transaction<Database>,
  lease: Lease,
  clientId: string | undefined,
  mappingVersion: string,
): Promise<PlanBasis> {
  const keys = epochKeys(lease, clientId);
  const connection = await trx
    .selectFrom('connection')
    .select(['epoch', 'paused'])
    .where('id', '=', lease.connection)
    .executeTakeFirst();
  const rows = keys.length === 0 ? [] : await trx.selectFrom('epoch').selectAll().where('key', 'in', keys).execute();
  return {
    mappingVersion,
    connectionEpoch: connection?.epoch ?? 0,
    isPaused: connection?.paused !== undefined && connection.paused !== null,
    epochs: new Map(keys.map((key) => [key, rows.find((row) => row.key === key)?.n ?? 0])),
  };
}
