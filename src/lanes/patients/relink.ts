// "Wrong patient": an operator says who a client is, or that it is nobody there. A replace (lanes.md 17): the link's next generation points at
// the named patient, and what the client's lanes have in the other chart is retired there and made anew. Nothing is written to either
// Patient.

import { sql, type Transaction } from 'kysely';
import { CasebridgeError, type Reason, reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { type Database, json, type Store } from '../../store/store.ts';
import { closeObsolete, openDecision } from '../decisions/decisions.ts';
import { isStanding, type LinkRow } from '../desire/known.ts';
import type { LaneConnection } from '../lane-connection.ts';
import type { ResourceKey } from '../lane-resource.ts';
import { raiseWanted } from '../links/wanted.ts';
import { readOne } from '../look/read-one.ts';
import { isRestricted } from '../look/search-failure.ts';
import { replacedBy } from './match.ts';
import {
  type ClientOn,
  endPatientLink,
  interruptRun,
  lanesOfClient,
  lockPatientLinks,
  patientSlot,
  patientTopic,
  pointAtPatient,
  voidPlans,
} from './patient-link.ts';
import { asDetail, type Written, writtenTo } from './written.ts';

export interface RelinkAsked {
  readonly connection: string;
  readonly source: string;
  readonly clientId: string;
  /** Id on the server; null: the client is nobody there. */
  readonly patient: string | null;
  readonly note?: string;
  /** The operator, for the audit. */
  readonly by: string;
}

export interface Relinked {
  readonly was: string | null;
  readonly now: string | null;
  /** What had been written to the chart of `was`; empty where nothing changes. */
  readonly written: readonly Written[];
}

/**
 * Stores the operator's word and wants the client's lanes, which do the rest. Saying what is so already changes nothing.
 *
 * @throws CasebridgeError `record-unknown` for a client that the source does not have, or has withdrawn
 */
export async function relinkPatient(store: Store, asked: RelinkAsked): Promise<Relinked> {
  return store.tx(async (trx) => {
    const { connection, source, clientId, patient } = asked;
    const record = await trx
      .selectFrom('record')
      .select(['subject', 'version'])
      .where('source', '=', source)
      .where('type', '=', 'client')
      .where('id', '=', clientId)
      .where('deleted', '=', false)
      .executeTakeFirst();
    if (record === undefined) throw new CasebridgeError('record-unknown', { type: 'client' });
    const client: ClientOn = { connection, source, clientId, subject: record.subject };
    const lanes = await lanesOfClient(trx, client);
    await raiseWanted(trx, lanes, { unpark: true, priority: 10 });
    await interruptRun(trx, client);
    const standing = (await lockPatientLinks(trx, client)).find(isStanding);
    const was = standing?.remote_id ?? null;
    if (was === patient && was !== null) return { was, now: was, written: [] };
    const written = was === null ? [] : await writtenTo(trx, client, was);
    const why = patient === null ? reason('patient-unlinked') : reason('patient-relinked');
    await endPatientLink(trx, client, why);
    await closeObsolete(trx, client, [patientTopic]);
    await noteAnswer(trx, client, record.version, asked, was, why);
    if (patient !== null) await raiseWanted(trx, await pointAtPatient(trx, client, patient), { priority: 10 });
    if (was !== null) await listWrong(trx, client, { standing, was, patient, written, why });
    await voidPlans(trx, client);
    return { was, now: patient, written };
  });
}

/**
 * A chart that the server does not show is nobody's: a mistyped id must not become a link.
 *
 * @throws CasebridgeError `patient-unknown`, `patient-merged`, `patient-restricted`, `patient-unreadable`
 */
export async function requirePatient(connection: LaneConnection, id: string): Promise<void> {
  const { reply, body, failed } = await readOne(connection, { resourceType: 'Patient', id });
  if (isRestricted(connection, reply)) throw new CasebridgeError('patient-restricted');
  if (failed?.class === 'gone' || failed?.class === 'permanent') throw new CasebridgeError('patient-unknown');
  if (failed !== undefined) throw new CasebridgeError('patient-unreadable', { why: ` ${failed.reason.text}` });
  if (body.id !== id || replacedBy(body) !== undefined) throw new CasebridgeError('patient-merged');
}

/** The audit, in the form of an answered decision: `leave` keeps the lane from looking for the client again by itself. */
async function noteAnswer(
  trx: Transaction<Database>,
  client: ClientOn,
  recordVersion: number,
  asked: RelinkAsked,
  was: string | null,
  why: Reason,
): Promise<void> {
  const { connection, source, subject, clientId } = client;
  await trx
    .insertInto('decision')
    .values({
      connection,
      source,
      subject,
      kind: 'patient-match',
      type: 'client',
      record_id: clientId,
      slot: patientSlot,
      topic: patientTopic,
      reason: json(why),
      detail: json<JsonObject>({ recordVersion, was, now: asked.patient }),
      choices: json([]),
      state: 'decided',
      choice: asked.patient === null ? 'leave' : `link:${asked.patient}`,
      note: asked.note ?? null,
      decided_by: asked.by,
      decided_at: sql<Date>`now()`,
    })
    .execute();
}

interface Wrong {
  readonly standing: LinkRow | undefined;
  readonly was: string;
  readonly patient: string | null;
  readonly written: readonly Written[];
  readonly why: Reason;
}

function listWrong(trx: Transaction<Database>, client: ClientOn, wrong: Wrong): Promise<void> {
  const key: ResourceKey = { type: 'client', id: client.clientId, slot: patientSlot };
  return openDecision(trx, client, {
    kind: 'patient-relinked',
    topic: `relinked:${wrong.was}`,
    key,
    reason: wrong.why,
    detail: {
      was: wrong.was,
      now: wrong.patient,
      // A patient that we made stays as it is: the hospital merges it, or switches it off.
      madeByUs: wrong.standing?.origin === 'created',
      written: asDetail(wrong.written),
    },
    choices: [
      {
        choose: 'noted',
        effect:
          'Seen. What is listed is marked as entered in error there as far as the server takes it; this answer changes nothing.',
      },
    ],
  });
}
