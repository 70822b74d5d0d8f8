// Looks for an existing patient or directory entry before one is made (lanes.md 18, 19). Twins are kept apart by leases on what they
// would be matched by, held until what one of them writes must be visible to the other's search.

import type { Transaction } from 'kysely';
import { sql } from 'kysely';
import { classify, type FhirClient, isSearchResult, type SearchFailure } from '../connections/connections.ts';
import { type Reason, reason } from '../errors.ts';
import { identifierValue } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Database, json } from '../store/store.ts';
import { closeObsolete, openDecision } from './decisions.ts';
import { directoryIdentifiers, patientTopic } from './desire.ts';
import type { LaneConnection, LaneDeps } from './lane-connection.ts';
import type { LaneResource } from './lane-resource.ts';
import { holdLease, type LaneKey, type Lease } from './lease.ts';
import { hashOfSeen, saveLinks, saveSeen } from './links.ts';
import { matchKeys, matchPatient, strongIdentifiers } from './match.ts';
import { ownIdentifier } from './send.ts';

export type FindResult =
  | { readonly kind: 'linked'; readonly woken: readonly LaneKey[] }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'asked' }
  | Failure;

export async function findExisting(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  resource: LaneResource,
): Promise<FindResult> {
  const record = resource.record ?? {};
  const isPatient = resource.key.type === 'client';
  const { identifierSystems } = connection.config;
  const strong = isPatient
    ? strongIdentifiers(record, identifierSystems)
    : directoryIdentifiers(record, identifierSystems);
  const keys = isPatient
    ? matchKeys(record, strong)
    : strong.map(({ system, value }) => `identifier|${system}|${value}`);
  if (!(await takeMatchLeases(deps, connection, lease, keys))) {
    return { kind: 'again', reason: reason('twin-in-progress'), afterMs: 1_000 };
  }
  const queries = [
    ...strong.map(({ system, value }) => connection.vendor.queries.identifier(system, value)),
    ...(isPatient ? demographicQueries(connection, record) : []),
  ];
  const found = await searchEach(connection, resource.resourceType, queries);
  if (!Array.isArray(found)) return found;
  return isPatient
    ? foundPatients(deps, connection, lease, resource, found)
    : foundEntries(deps, lease, resource, found);
}

/** Nothing can be said now; `config`: not before the connection has been mended. */
interface Failure {
  readonly kind: 'again' | 'config';
  readonly reason: Reason;
  readonly afterMs: number | undefined;
}

type Query = Parameters<FhirClient['searchAll']>[1];

async function searchEach(
  connection: LaneConnection,
  resourceType: string,
  queries: readonly Query[],
): Promise<JsonObject[] | Failure> {
  const byId = new Map<string, JsonObject>();
  for (const query of queries) {
    const result = await connection.client.searchAll(resourceType, query);
    if (!isSearchResult(result)) {
      return searchFailure(connection, result);
    }
    if (!result.complete)
      return { kind: 'again', reason: result.reason ?? reason('outcome-unknown'), afterMs: undefined };
    for (const resource of result.resources) byId.set(String(resource.id), resource);
  }
  return [...byId.values()];
}

export function searchFailure(connection: LaneConnection, result: SearchFailure): Failure {
  const found = classify(connection.vendor, { method: 'GET', kind: 'search' }, result);
  const kind = found.class === 'config' ? 'config' : 'again';
  return { kind, reason: found.reason ?? reason('outcome-unknown'), afterMs: found.retryAfterMs };
}

function demographicQueries(connection: LaneConnection, client: JsonObject): Query[] {
  const names = Array.isArray(client.names) ? client.names.filter(isObject) : [];
  const families = new Set(names.flatMap(({ family }) => (typeof family === 'string' ? [family] : [])));
  const { birthDate } = client;
  if (typeof birthDate !== 'string') return [];
  return [...families].map((family) => connection.vendor.queries.patient({ family, birthDate }));
}

async function foundPatients(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  resource: LaneResource,
  found: readonly JsonObject[],
): Promise<FindResult> {
  const client = resource.record ?? {};
  const candidates = found.filter((patient) => !isRetiredByUs(deps, lease, resource, patient));
  const match = matchPatient(client, strongIdentifiers(client, connection.config.identifierSystems), candidates);
  if (match.kind === 'certain') return linkFound(deps, lease, resource, match.patient);
  const mayCreate = resource.route.route === 'native' && connection.config.createPatients;
  if (match.kind === 'none' && mayCreate) {
    await deps.store.tx(async (trx) => {
      await holdLease(trx, lease, deps.leaseMs);
      await closeObsolete(trx, lease, [patientTopic]);
    });
    return { kind: 'not-found' };
  }
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    await askWho(trx, lease, resource, match.kind === 'uncertain' ? match.patients : [], mayCreate);
  });
  return { kind: 'asked' };
}

/** An earlier generation of this very client, which we switched off ourselves, is no answer (lanes.md 17). */
function isRetiredByUs(deps: LaneDeps, lease: Lease, { key }: LaneResource, patient: JsonObject): boolean {
  const [value] = (ownIdentifier(patient, deps.identifierSystem) ?? '').split('~');
  return (
    patient.active === false &&
    value === identifierValue({ source: lease.source, type: key.type, id: key.id }, key.slot)
  );
}

/** Both sides are shown; a person chooses. */
async function askWho(
  trx: Transaction<Database>,
  lease: Lease,
  resource: LaneResource,
  patients: readonly JsonObject[],
  mayCreate: boolean,
): Promise<void> {
  await openDecision(trx, lease, {
    kind: 'patient-match',
    topic: patientTopic,
    key: resource.key,
    reason:
      patients.length === 0 ? reason('patient-not-found') : reason('patient-uncertain', { count: patients.length }),
    detail: {
      recordVersion: resource.recordVersion,
      client: sideBySide(resource.desired?.resource ?? {}),
      candidates: patients.map((patient) => ({ id: String(patient.id), ...sideBySide(patient) })),
    },
    choices: [
      ...patients.map(({ id }) => ({
        choose: `link:${id}`,
        effect: `The client is Patient/${id}: link it. The patient itself is never written.`,
      })),
      ...(mayCreate ? [{ choose: 'create', effect: 'The client is none of these: create a new patient.' }] : []),
      {
        choose: 'leave',
        effect: 'Link nobody. The cases of the client are not sent there until the client record changes.',
      },
    ],
  });
}

const comparedElements = ['name', 'birthDate', 'gender', 'identifier', 'telecom', 'address', 'active', 'link'];

function sideBySide(patient: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(patient).filter(([name]) => comparedElements.includes(name)));
}

async function foundEntries(
  deps: LaneDeps,
  lease: Lease,
  resource: LaneResource,
  found: readonly JsonObject[],
): Promise<FindResult> {
  const [first] = found.filter(({ active }) => active !== false).sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
  return first === undefined ? { kind: 'not-found' } : linkFound(deps, lease, resource, first);
}

async function linkFound(deps: LaneDeps, lease: Lease, resource: LaneResource, body: JsonObject): Promise<FindResult> {
  const remoteId = String(body.id);
  const woken = await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    await saveSeen(trx, lease.connection, {
      resourceType: resource.resourceType,
      remoteId,
      versionTag: undefined,
      body,
    });
    const link = {
      remoteId,
      origin: 'found',
      versionTag: undefined,
      sent: undefined,
      seen: undefined,
      seenHash: hashOfSeen(body),
    } as const;
    await closeObsolete(trx, lease, [patientTopic]);
    return saveLinks(trx, lease, [[resource, link]]);
  });
  return { kind: 'linked', woken };
}

/** What the lane has found or made is visible to the other's search after `settle`; no twin needs to wait longer. */
export async function releaseMatchLeases(trx: Transaction<Database>, lease: Lease, settleMs: number): Promise<void> {
  await sql`
    update match_lease set until = least(until, now() + ${settleMs} * interval '1 millisecond')
    where connection = ${lease.connection} and holder = ${lease.subject}`.execute(trx);
}

/** All or none, in one statement; ours again after a restart, because the lane is the holder. */
async function takeMatchLeases(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  keys: readonly string[],
): Promise<boolean> {
  if (keys.length === 0) return true;
  const rows: Json = [...new Set(keys)].sort().map((key) => ({ key }));
  const heldMs = deps.leaseMs + connection.config.settleMs;
  return deps.store.tx(async (trx) => {
    await sql`delete from match_lease where connection = ${lease.connection} and until < now()`.execute(trx);
    const { rows: taken } = await sql<{ key: string }>`
      insert into match_lease (connection, key, holder, until)
      select ${lease.connection}, k.key, ${lease.subject}, now() + ${heldMs} * interval '1 millisecond'
      from jsonb_to_recordset(${json(rows)}) as k(key text) order by k.key
      on conflict (connection, key) do update set until = excluded.until where match_lease.holder = excluded.holder
      returning key`.execute(trx);
    if (taken.length === rows.length) return true;
    await sql`
      delete from match_lease where connection = ${lease.connection} and holder = ${lease.subject}
        and key in (select k.key from jsonb_to_recordset(${json(taken)}) as k(key text))`.execute(trx);
    return false;
  });
}
