// Reads everything that a run decides from, in one snapshot (lanes.md 1), and turns it into the lane's resources.

import { nextConsentDay } from '../../access/access.ts';
import { dateOf, startOfDate } from '../../clocks/clocks.ts';
import { isOffered } from '../../connections/connections.ts';
import type { DecisionRow } from '../decisions/decisions.ts';
import { desire } from '../desire/desire.ts';
import type { DesireInput, DocumentsHeld } from '../desire/desire-input.ts';
import { Known, type RecordName } from '../desire/known.ts';
import { contentsAsSent } from '../desire/past-records.ts';
import { editionOf } from '../documents/editions.ts';
import { isRefusal } from '../inbound/refuse.ts';
import { type Abilities, type Run, receiverFor } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';
import { patientTopic } from '../patients/patient-link.ts';
import type { RunMemory } from '../run/run-memory.ts';
import type { OperationRow, PlanBasis } from '../send/operations.ts';
import { tellHalted } from './halted.ts';
import { recognized } from './lane-memory.ts';
import { unnamedReads } from './lane-reads.ts';
import { type LaneHolds, type LaneRows, readLane } from './lane-rows.ts';

export interface LaneState {
  readonly resources: readonly LaneResource[];
  readonly known: Known;
  readonly openOperations: readonly OperationRow[];
  readonly openDecisions: readonly DecisionRow[];
  /** What the plan is made from, checked again when intents are stored (lanes.md 7). */
  readonly basis: PlanBasis;
  /** Another configuration of the connection is in force than the one that the run works by. */
  readonly isConfiguredOtherwise: boolean;
  /** The client of the lane, if it has one. */
  readonly clientId: string | undefined;
  /** Database time of the snapshot. */
  readonly now: Date;
  readonly holds: LaneHolds;
  readonly rows: LaneRows;
}

/**
 * Reads the lane in one snapshot. Later loads of a run keep its records as long as no cause has raised `wanted`, and keep all of it where the run
 * has carried it over (`written-rows.ts`); what the plan rests on is checked once more when intents are stored. A record that the mapping asks for
 * and the snapshot lacks is read with everything else in another one.
 */
export async function loadLane(
  { deps, connection, lease }: Run,
  abilities: Abilities,
  memory: RunMemory,
): Promise<LaneState> {
  const mappings = memory.mappings ?? (await deps.mappings());
  memory.mappings = mappings;
  // Where no Task is written, the answer to one that began there is a note.
  const isNoted = connection.config.task === 'off' || abilities.routes.some(({ route }) => route === 'document');
  const isAnswered = abilities.routes.some(
    ({ resourceType, route }) => resourceType === 'Communication' && route === 'answer',
  );
  const isTold = isOffered(connection.vendor.documents) && (isNoted || isAnswered);
  const zone = deps.timeZone(lease.source);
  let carried = memory.carried;
  memory.carried = undefined;
  for (let others: readonly RecordName[] = memory.records?.others ?? []; ; ) {
    const rows = carried ?? (await readLane(deps.store, lease, others, memory.records, connection.config.share));
    carried = undefined;
    const { now } = rows;
    if (rows.records === undefined) throw new Error('A lane was read without its records.');
    const records = rows.records === memory.records ? rows.records : recognized(memory.lane, rows.records);
    const { own, consents, referrals, clientId } = records;
    const known = new Known(own, rows.links);
    known.keepOthers(records.others, records.otherRows, rows.otherLinks);
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
      past: await contentsAsSent(deps.store, lease, mappings, own, rows.links),
      unknown: new Set(
        rows.operations.flatMap((row) => (row.outcome === null ? [nameOf({ ...row, id: row.record_id })] : [])),
      ),
      openDecisions: rows.decisions.filter(({ state }) => state === 'open'),
      patientAnswers: rows.decisions.filter(({ state, topic }) => state === 'decided' && topic === patientTopic),
      entryAnswers: rows.decisions.filter(({ state, kind }) => state === 'decided' && kind === 'entry-match'),
      consents,
      referrals,
      today: dateOf(now.getTime(), zone),
      now: now.getTime(),
      memory,
      documents:
        isTold && own.some((row) => row.type === 'case' || isRefusal(row)) ? documentsHeld(zone, rows) : undefined,
    };
    const desired = desire(input);
    const missing = known.takeMissing();
    if (missing.length > 0) {
      others = [...records.others, ...missing];
      memory.records = undefined;
      continue;
    }
    memory.records = records;
    return {
      resources: await tellHalted(deps.store, lease, known, desired),
      known,
      openOperations: rows.operations,
      openDecisions: input.openDecisions,
      basis: {
        wanted: rows.wanted ?? 0,
        mappingVersion: mappings.version,
        connectionEpoch: rows.connection_epoch ?? 0,
        isPaused: rows.is_paused,
        epochs: new Map(epochKeys(lease, clientId).map((key) => [key, rows.epochs[key] ?? 0])),
        unnamed: unnamedReads(known.readRecords, rows.holds.reads),
        until: consentsChangeAt(input, zone),
      },
      isConfiguredOtherwise: ![null, connection.configuration].includes(rows.configuration),
      clientId,
      now,
      holds: rows.holds,
      rows: { ...rows, records },
    };
  }
}

function consentsChangeAt({ connection, lease, consents, today }: DesireInput, zone: string): Date | undefined {
  const day = nextConsentDay({ ...receiverFor(connection.config, lease.source), consents, today });
  return day === undefined ? undefined : new Date(startOfDate(day, zone));
}

function documentsHeld(timeZone: string, rows: LaneRows): DocumentsHeld {
  return {
    editions: rows.editions.map(editionOf),
    patient: rows.patient ?? undefined,
    heldUntil: rows.documents_held_until ?? undefined,
    now: rows.now,
    timeZone,
  };
}

/** Keys of the counters that a consent or a re-link raises (lanes.md 7). */
function epochKeys(lease: Lease, clientId: string | undefined): string[] {
  if (clientId === undefined) return [];
  return [`client:${lease.source}/${clientId}`, `patient:${lease.connection}:${lease.source}/${clientId}`];
}
