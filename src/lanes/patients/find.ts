// Looks for an existing patient or directory entry before one is made (lanes.md 18, 19). Twins are kept apart by leases on what they
// would be matched by, held until what one of them writes must be visible to the other's search.

import type { Transaction } from 'kysely';
import { sql } from 'kysely';
import { isWholeSearch } from '../../connections/connections.ts';
import { reason } from '../../errors.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import { type Database, json } from '../../store/store.ts';
import { closeObsolete, openDecision, resourceTopic } from '../decisions/decisions.ts';
import type { Abilities, Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import { type Lease, underLease } from '../lease.ts';
import { linkFound } from '../look/link-found.ts';
import { finalSearchFailure } from '../look/search-failure.ts';
import { findPatient, type PatientFound } from './find-patient.ts';
import { directoryIdentifiers, matchKeys, type StrongIdentifier, strongIdentifiers } from './match.ts';
import { carries, familyAgrees, fold, givenAgrees } from './match-facts.ts';

export type FindResult =
  | Exclude<PatientFound, { kind: 'not-found' }>
  /** The leases that hold as long as nobody else looks for the same. */
  | { readonly kind: 'not-found'; readonly matchKeys: readonly string[] };

export async function findExisting(run: Run, abilities: Abilities, resource: LaneResource): Promise<FindResult> {
  // A server that cannot be asked by number cannot tell whether it knows the entry.
  if (resource.key.type !== 'client' && !abilities.searches(resource.resourceType, 'identifier'))
    return { kind: 'not-found', matchKeys: [] };
  const record = resource.record ?? {};
  const isPatient = resource.key.type === 'client';
  const { identifierSystems } = run.connection.config;
  const strong = isPatient
    ? strongIdentifiers(record, identifierSystems)
    : directoryIdentifiers(record, identifierSystems);
  const keys = isPatient
    ? matchKeys(record, strong)
    : strong.map(({ system, value }) => `identifier|${system}|${value}`);
  const inOrder = [...new Set(keys)].sort();
  if (!(await takeMatchLeases(run, inOrder))) {
    return { kind: 'again', reason: reason('twin-in-progress'), afterMs: 1_000 };
  }
  const found = isPatient ? await findPatient(run, resource, strong) : await findEntry(run, resource, strong);
  return found.kind === 'not-found' ? { ...found, matchKeys: inOrder } : found;
}

async function findEntry(run: Run, resource: LaneResource, strong: readonly StrongIdentifier[]): Promise<PatientFound> {
  const { connection, lease } = run;
  const byId = new Map<string, JsonObject>();
  for (const { system, value } of strong) {
    const query = connection.vendor.queries.identifier(system, value);
    const result = await connection.client.searchAll(resource.resourceType, query);
    if (!isWholeSearch(result)) return finalSearchFailure(connection, result);
    for (const entry of result.resources) byId.set(String(entry.id), entry);
  }
  const hits = [...byId.values()]
    .filter((entry) => entry.active !== false && carries(entry, strong))
    .sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
  const named = hits.length > 1 ? hits.filter((entry) => isNamedAlike(resource.record ?? {}, entry)) : hits;
  const [entry, other] = named;
  if (entry !== undefined && other === undefined)
    return { kind: 'linked', woken: await linkFound(run, resource, entry) };
  await underLease(run, async (trx) => {
    if (hits.length === 0) return closeObsolete(trx, lease, [resourceTopic('several', resource.key)]);
    return askWhich(trx, lease, resource, hits);
  });
  return hits.length === 0 ? { kind: 'not-found' } : { kind: 'asked' };
}

/** Organizations often share the number of the one that they belong to: of several the name tells, or a person. */
function isNamedAlike({ name: ours }: JsonObject, { name: theirs }: JsonObject): boolean {
  if (typeof ours === 'string') return typeof theirs === 'string' && fold(ours) === fold(theirs);
  const person = { names: isObject(ours) ? [{ family: ours.family ?? null, given: [ours.given ?? null] }] : [] };
  return familyAgrees(person, { name: theirs ?? null }) && givenAgrees(person, { name: theirs ?? null });
}

const shownElements = ['name', 'alias', 'identifier', 'telecom', 'address', 'partOf', 'type'];

function askWhich(
  trx: Transaction<Database>,
  lease: Lease,
  { key, resourceType, recordVersion, route }: LaneResource,
  entries: readonly JsonObject[],
): Promise<void> {
  const shown = entries.map((entry) => ({
    id: String(entry.id),
    ...Object.fromEntries(Object.entries(entry).filter(([name]) => shownElements.includes(name))),
  }));
  return openDecision(trx, lease, {
    kind: 'entry-match',
    topic: resourceTopic('several', key),
    key,
    reason: reason('directory-several', { count: entries.length, target: nameOf(key) }),
    detail: { recordVersion, resourceType, candidates: shown },
    choices: [
      ...shown.map(({ id }) => ({
        choose: `link:${id}`,
        effect: `It is ${resourceType}/${id}: link it. It is never written.`,
      })),
      ...(route.route === 'native'
        ? [{ choose: 'create', effect: 'It is none of these: make ours beside them.' }]
        : []),
      { choose: 'again', effect: 'Look for it there once more: the server knows more by now.' },
      {
        choose: 'leave',
        effect: 'Link none of them and make none. It rests until its record has a new version, which is looked for.',
      },
    ],
  });
}

/** What the lane has found or made is visible to the other's search after `settle`; no twin needs to wait longer. */
export async function releaseMatchLeases(trx: Transaction<Database>, lease: Lease, settleMs: number): Promise<void> {
  await sql`
    update match_lease set until = least(until, now() + ${settleMs} * interval '1 millisecond')
    where connection = ${lease.connection} and holder = ${lease.subject}`.execute(trx);
}

/** All or none, in one statement; ours again after a restart, because the lane is the holder. */
async function takeMatchLeases({ deps, connection, lease }: Run, keys: readonly string[]): Promise<boolean> {
  if (keys.length === 0) return true;
  const rows: Json = keys.map((key) => ({ key }));
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
