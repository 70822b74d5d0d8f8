// What the store knows around the resources that began on the other side: which of them are linked, which clients their patients are, and where those
// clients' cases stand.

import { type JsonObject, textAt } from '../../json.ts';
import { json, type Store, sql } from '../../store/store.ts';
import { type Run, receiverFor } from '../lane-connection.ts';
import type { Lease } from '../lease.ts';
import { linkedTargets } from '../look/linked-targets.ts';
import { isSameChart, patientSlot } from '../patients/patient-link.ts';
import { carriesOut, type Named, patientsOf } from './about.ts';
import { agenciesOf } from './agencies.ts';
import type { Looks } from './look.ts';
import type { InboundRow } from './rows.ts';

export interface Around {
  readonly linked: Awaited<ReturnType<typeof linkedTargets>>;
  /** Tasks and orders that referrals of any source have, or had, links to: `made` by us, or answered. By `Type/id`. */
  readonly referred: ReadonlyMap<string, 'made' | 'theirs'>;
  /** Of this source, by the id of a patient to whom the client's link stands, or who was merged into that one. A lane may hold what is of several patients. */
  readonly clients: ReadonlyMap<string, LinkedClient>;
  /** Ids of the organizations of the source that manage cases: the agency itself. */
  readonly agencies: ReadonlySet<string>;
  /** Name of the organization whose server this is, as the source has it. */
  readonly hospital: string | undefined;
}

export interface LinkedClient {
  readonly id: string;
  /** Of the client's own lane. */
  readonly subject: string;
  /** Where they stand, all of them. */
  readonly cases: readonly JsonObject[];
}

export async function readAround(
  { deps: { store }, connection: { config }, lease }: Run,
  rows: readonly InboundRow[],
  looks: Looks,
): Promise<Around> {
  const bodies = [...looks.values()].flatMap((look) => (typeof look === 'string' ? [] : [look.body]));
  const linked = await linkedTargets(store, lease, config.baseUrl, bodies);
  const named = bodies.flatMap((body) => patientsOf(body, config.baseUrl));
  const patients = [...new Set([...rows.flatMap(({ patient }) => patient ?? []), ...named])];
  const { organizations } = await agenciesOf(store, lease.source);
  const ownerId = receiverFor(config, lease.source).organization;
  const owner = await store.db
    .selectFrom('record')
    .select('content')
    .where('source', '=', lease.source)
    .where('type', '=', 'organization')
    .where('id', '=', ownerId ?? '')
    .executeTakeFirst();
  return {
    linked,
    referred: await linkedReferrals(
      store,
      lease.connection,
      bodies.flatMap((body) => carriesOut(body, config.baseUrl)),
    ),
    clients: await linkedClients(store, lease, patients),
    agencies: organizations,
    hospital: textAt(owner?.content, 'name'),
  };
}

async function linkedClients(
  { db }: Store,
  { connection, source, subject }: Lease,
  patients: readonly string[],
): Promise<Map<string, LinkedClient>> {
  if (patients.length === 0) return new Map();
  const ofClients = db
    .selectFrom('link')
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('type', '=', 'client')
    .where('slot', '=', patientSlot)
    .where('resource_type', '=', 'Patient');
  const links = await ofClients
    .select(['id', 'subject', 'remote_id', 'generation', 'retired_at', 'reason'])
    .where('id', 'in', ofClients.select('id').where('remote_id', 'in', patients))
    .orderBy(sql`subject <> ${subject}`)
    .orderBy('id')
    .execute();
  const clients = [...Map.groupBy(links, ({ id }) => id)].flatMap(([id, generations]) => {
    const standing = generations.find(({ remote_id: there, retired_at: at }) => there !== null && at === null);
    return standing === undefined ? [] : [{ id, subject: standing.subject, now: standing.remote_id, generations }];
  });
  const owners = patients.flatMap((patient) => {
    const owner =
      clients.find(({ now }) => now === patient) ?? clients.find((one) => isSameChart(one.generations, patient));
    return owner === undefined ? [] : [{ patient, ...owner }];
  });
  if (owners.length === 0) return new Map();
  const ids = [...new Set(owners.map(({ id }) => id))];
  const cases = await db
    .selectFrom('record')
    .select(['client_id', 'content'])
    .where('source', '=', source)
    .where('type', '=', 'case')
    .where('client_id', 'in', ids)
    .where('deleted', '=', false)
    .orderBy('id')
    .execute();
  const byClient = Map.groupBy(cases, ({ client_id: id }) => id);
  return new Map(
    owners.map(({ patient, id, subject: lane }) => [
      patient,
      { id, subject: lane, cases: (byClient.get(id) ?? []).map(({ content }) => content) },
    ]),
  );
}

async function linkedReferrals(
  { db }: Store,
  connection: string,
  named: readonly Named[],
): Promise<Map<string, 'made' | 'theirs'>> {
  if (named.length === 0) return new Map();
  const { rows } = await sql<{ name: string; origin: string }>`
    select l.resource_type || '/' || l.remote_id as name, l.origin
    from jsonb_to_recordset(${json(named.map((one) => ({ ...one })))}) as n("resourceType" text, id text)
    join link l on l.connection = ${connection} and l.resource_type = n."resourceType" and l.remote_id = n.id
    where l.type = 'referral'`.execute(db);
  return new Map(rows.map(({ name, origin }) => [name, origin === 'theirs' ? 'theirs' : 'made']));
}
