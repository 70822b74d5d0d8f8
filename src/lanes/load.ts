// Reads everything that a run decides from, in one snapshot (lanes.md 1), and turns it into the lane's resources.

import type { Transaction } from 'kysely';
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
import { Known, type RecordRow } from './known.ts';
import type { Abilities, LaneConnection, LaneDeps } from './lane-connection.ts';
import type { LaneResource } from './lane-resource.ts';
import { readLane, readOthers, readRecords } from './lane-rows.ts';
import type { Lease } from './lease.ts';
import type { OperationRow } from './operations.ts';

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

/**
 * Reads the lane in one snapshot. Later loads of a run keep its records as long as no cause has raised `wanted`, and read anew what sends, polls
 * and people change; what the plan rests on is checked once more when intents are stored.
 */
export async function loadLane(
  deps: LaneDeps,
  connection: LaneConnection,
  abilities: Abilities,
  lease: Lease,
  memory: RunMemory,
): Promise<LaneState> {
  const mappings = memory.mappings ?? (await deps.mappings());
  memory.mappings = mappings;
  const isTold = isOffered(connection.vendor.documents) && abilities.routes.some(({ route }) => route === 'document');
  return deps.store.tx(
    async (trx) => {
      const rows = await readLane(trx, lease, memory.records?.others ?? []);
      const { now } = rows;
      const kept = memory.records?.wanted === rows.wanted ? memory.records : undefined;
      let records = kept ?? (await readRecords(trx, lease, rows.wanted));
      const { own, consents, clientId } = records;
      const known = new Known(own, rows.links);
      known.keepOthers(records.others, records.otherRows, rows.otherLinks);
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
        seen: new Map(rows.seen.map((row) => [`${row.resource_type}/${row.remote_id}`, row])),
        openDecisions: rows.decisions.filter(({ state }) => state === 'open'),
        patientDecision: rows.decisions.find(({ state, topic }) => state === 'decided' && topic === patientTopic),
        consents,
        today: now.toISOString().slice(0, 10),
        memory,
        documents,
      };
      let resources = desire(input);
      for (let missing = known.takeMissing(); missing.length > 0; missing = known.takeMissing()) {
        const found = await readOthers(trx, lease, missing);
        known.keepOthers(missing, found.rows, found.links);
        records = {
          ...records,
          others: [...records.others, ...missing],
          otherRows: [...records.otherRows, ...found.rows],
        };
        resources = desire(input);
      }
      memory.records = records;
      return {
        resources,
        known,
        openOperations: rows.operations,
        openDecisions: input.openDecisions,
        basis: {
          mappingVersion: mappings.version,
          connectionEpoch: rows.connection_epoch ?? 0,
          isPaused: rows.is_paused,
          epochs: new Map(epochKeys(lease, clientId).map((key) => [key, rows.epochs[key] ?? 0])),
        },
        clientId,
        now,
      };
    },
    { isolation: 'repeatable read' },
  );
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

/** Keys of the counters that a consent or a re-link raises (lanes.md 7). */
export function epochKeys(lease: Lease, clientId: string | undefined): string[] {
  if (clientId === undefined) return [];
  return [`client:${lease.source}/${clientId}`, `patient:${lease.connection}:${lease.source}/${clientId}`];
}
