// A hospital that begins a referral in its own record, and a source that answers it: what stands in the hospital's store, and how each side acts.
// Invented people only.

import { versionTagOf } from '../../src/connections/connections.ts';
import type { JsonObject } from '../../src/json.ts';
import { isObject, objectsAt } from '../../src/json.ts';
import { noteInbound, refuseChange } from '../../src/lanes/lanes.ts';
import { saveSeen } from '../../src/lanes/links/seen.ts';
import { raiseWanted } from '../../src/lanes/links/wanted.ts';
import { sql } from '../../src/store/store.ts';
import { anOrganization } from '../builders.ts';
import { acceptedOf } from './adopting.ts';
import { directoryAndClient } from './caseload.ts';
import { identifierSystem } from './rig.ts';
import type { World } from './world.ts';

export const ines: JsonObject = {
  resourceType: 'Patient',
  id: 'ines',
  active: true,
  identifier: [
    {
      system: 'urn:oid:1.2.3',
      value: 'MRN-31122',
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
    },
  ],
  name: [{ use: 'official', family: 'Quintero', given: ['Ines'] }],
  gender: 'female',
  birthDate: '1991-09-03',
  telecom: [{ system: 'phone', value: '(518) 555-0190', use: 'home' }],
  maritalStatus: { text: 'Widowed' },
};

export const foodCondition: JsonObject = {
  resourceType: 'Condition',
  id: 'food-need',
  clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
  verificationStatus: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }],
  },
  category: [
    { coding: [{ system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category', code: 'sdoh' }] },
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] },
    {
      coding: [
        {
          system: 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes',
          code: 'food-insecurity',
        },
      ],
    },
  ],
  code: { coding: [{ system: 'http://snomed.info/sct', code: '733423003' }], text: 'Food insecurity' },
  subject: { reference: 'Patient/ines' },
};

export const foodOrder: JsonObject = {
  resourceType: 'ServiceRequest',
  id: 'order-1',
  status: 'active',
  intent: 'order',
  category: [
    { coding: [{ system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category', code: 'sdoh' }] },
    {
      coding: [
        {
          system: 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes',
          code: 'food-insecurity',
        },
      ],
    },
  ],
  priority: 'urgent',
  code: {
    coding: [{ system: 'http://snomed.info/sct', code: '467771000124109' }],
    text: 'Help with applying for a food pantry',
  },
  subject: { reference: 'Patient/ines' },
  authoredOn: '2026-02-20T09:00:00-05:00',
  requester: { display: 'Dr. Lena Aster' },
  reasonReference: [{ reference: 'Condition/food-need' }],
};

export const task: JsonObject = {
  resourceType: 'Task',
  id: 'task-1',
  status: 'requested',
  intent: 'order',
  priority: 'urgent',
  code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] },
  focus: { reference: 'ServiceRequest/order-1' },
  for: { reference: 'Patient/ines' },
  authoredOn: '2026-02-20T09:05:00-05:00',
  requester: { display: 'General Hospital' },
};

/** The hospital's own staff enters or changes resources in its record. */
export async function hospitalHas(world: World, ...resources: readonly JsonObject[]): Promise<void> {
  await world.server.seed(...resources);
}

/** It is seen by a poll, and what has work does it. */
export async function seen(world: World): Promise<void> {
  await world.poll();
  await world.work();
}

export interface Offered {
  readonly op: string;
  readonly type: string;
  readonly id: string;
  readonly body: JsonObject;
}

export async function feed(world: World): Promise<Offered[]> {
  return (await world.changes()).map(({ op, type, id, body }) => ({
    op: String(op),
    type: String(type),
    id: String(id),
    body: isObject(body) ? body : {},
  }));
}

/** `op type`, in the order of the feed. */
export async function ops(world: World, after = 0): Promise<string[]> {
  return (await feed(world)).slice(after).map(({ op, type }) => `${op} ${type}`);
}

/** The source takes everything over that it was offered, under ids of its own, and completes what no server says. */
export async function sourceAdopts(world: World, referral: JsonObject = {}): Promise<void> {
  const last = new Map((await feed(world)).filter(({ op }) => op === 'propose').map((one) => [one.id, one]));
  await world.send(...acceptedOf([...last.values()], referral));
}

/** The one resource of a type in the hospital's store. */
export async function only(world: World, resourceType: string): Promise<JsonObject> {
  const all = await world.server.all(resourceType);
  const [first] = all;
  if (first === undefined || all.length !== 1) throw new Error(`${all.length} of ${resourceType}`);
  return first;
}

/** `POST Task`, `PUT Task/task-1`, … as the journal has them, of what changed the store. */
export async function written(world: World, after = 0): Promise<string[]> {
  return (await world.server.writes(after)).flatMap(({ writes }) =>
    (Array.isArray(writes) ? writes : []).flatMap((write) =>
      isObject(write) ? [`${write.kind} ${write.resourceType}`] : [],
    ),
  );
}

/** The referral as its source keeps it, moved on. */
export async function sourceMoves(world: World, status: string, more: JsonObject = {}): Promise<void> {
  const { content } = await world.store.db
    .selectFrom('record')
    .select('content')
    .where('type', '=', 'referral')
    .executeTakeFirstOrThrow();
  const history = Array.isArray(content.history) ? content.history : [];
  const at = `2026-03-0${history.length}T09:00:00-05:00`;
  const move = { id: `h${history.length}`, status, at };
  await world.send(['referral', { ...content, status, history: [...history, move], updatedAt: at, ...more }]);
}

/** Refuses the newest proposal of a type. */
export async function sourceRefuses(world: World, type: string, words: string): Promise<void> {
  const { cursor } = await world.store.db
    .selectFrom('change')
    .select('cursor')
    .where('op', '=', 'propose')
    .where('type', '=', type)
    .orderBy('cursor', 'desc')
    .executeTakeFirstOrThrow();
  await refuseChange(world.store, { source: 'county', cursor, reason: words });
  await world.work();
}

/** Who the source is: its agency, the hospital as it knows it, and a worker. */
export async function sourceIsThere(world: World): Promise<void> {
  const hospital = anOrganization({ id: 'org-hospital', name: 'General Hospital', kind: 'hospital' });
  await world.send(...directoryAndClient().slice(0, 4), ['organization', hospital]);
}

/** What a poll does with what it finds, where the poll of the server itself is not what is tested. */
export async function hospitalShows(world: World, ...paths: readonly string[]): Promise<void> {
  const { deps, store } = world;
  const connection = deps.connections.get('general');
  if (connection === undefined) throw new Error('no connection');
  for (const path of paths) {
    const reply = await connection.client.send({ method: 'GET', path });
    if (reply.fault !== undefined || reply.body === undefined) throw new Error(`${path}: ${reply.status}`);
    const { body } = reply;
    const [resourceType = '', remoteId = ''] = path.split('/');
    await store.tx(async (trx) => {
      await saveSeen(trx, 'general', {
        resourceType,
        remoteId,
        versionTag: reply.versionTag ?? versionTagOf(body),
        body,
      });
      const { rows } = await sql<{ subject: string }>`select subject from link where connection = 'general'
        and resource_type = ${resourceType} and remote_id = ${remoteId} and retired_at is null`.execute(trx);
      await raiseWanted(
        trx,
        rows.map(({ subject }) => ({ connection: 'general', subject })),
      );
      await noteInbound(trx, { config: connection.config, identifierSystem }, [body]);
    });
  }
  await world.work();
}

/** What tests of a referral that the hospital begins do in a world. */
export function begunOn(world: World) {
  async function begins(more: JsonObject = {}): Promise<void> {
    await hospitalHas(world, ines, foodCondition, foodOrder, { ...task, ...more });
    await seen(world);
  }

  return {
    begins,

    async isAdopted(referral: JsonObject = {}): Promise<void> {
      await sourceIsThere(world);
      await begins();
      await sourceAdopts(world, referral);
    },

    journalled: async () => (await world.server.journal()).length,

    /** What was written of Tasks, as `PUT accepted`. */
    statusesOf: async (after: number) =>
      (await world.server.writes(after)).flatMap(({ requestBody, method }) => {
        const body = typeof requestBody === 'string' ? JSON.parse(requestBody) : requestBody;
        const entries = objectsAt(body, 'entry').map(({ resource }) => resource);
        return [body, ...entries].flatMap((one) => (one?.resourceType === 'Task' ? [`${method} ${one.status}`] : []));
      }),
  };
}
