// Patients of an operator's list who are named by a number: each is searched for until the server shows exactly one who carries it. When it is asked
// next is a row; of several processes one asks.

import { sql, type Transaction } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import { isSearchResult, isTooMany } from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import { type Database, json, type Store } from '../../store/store.ts';
import { isConfiguredOtherwise } from '../configuration/configuration.ts';
import type { LaneConnection } from '../lane-connection.ts';
import { patientSearchFailure } from '../look/search-failure.ts';
import { closeAlert, openAlertOnce } from '../operating/alerts.ts';
import { replacedBy } from '../patients/match.ts';
import { carries } from '../patients/match-facts.ts';

/** A number as the list names it: in a system, or in the one that is configured for its kind, as in `mrn|20417`. */
export interface NumberSought {
  readonly system: string;
  readonly value: string;
}

/** @returns undefined for what is no number in a system */
export function numberSought(
  text: string,
  identifierSystems: ConnectionConfig['identifierSystems'],
): NumberSought | undefined {
  const bar = text.lastIndexOf('|');
  const [named, value] = [text.slice(0, Math.max(bar, 0)).trim(), text.slice(bar + 1).trim()];
  const system = Object.entries(identifierSystems).find(([kind]) => kind === named)?.[1] ?? named;
  return value === '' || !/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(system) ? undefined : { system, value };
}

/** Puts the numbers of a new list in the place of those before. @returns the patients who are known by those that stay */
export async function replaceSought(
  trx: Transaction<Database>,
  connection: string,
  numbers: readonly NumberSought[],
): Promise<string[]> {
  const named = json(numbers.map(({ system, value }) => ({ system, value })));
  await sql`
    delete from roster_sought r where r.connection = ${connection} and not exists (
      select 1 from jsonb_to_recordset(${named}) as n(system text, value text) where n.system = r.system and n.value = r.value)`.execute(
    trx,
  );
  await sql`
    insert into roster_sought (connection, system, value)
    select distinct ${connection}, n.system, n.value from jsonb_to_recordset(${named}) as n(system text, value text)
    on conflict (connection, system, value) do update set next_at = now()`.execute(trx);
  const rows = await trx
    .selectFrom('roster_sought')
    .select('patient')
    .where('connection', '=', connection)
    .where('patient', 'is not', null)
    .execute();
  await tell(trx, connection);
  return rows.flatMap(({ patient }) => patient ?? []);
}

const mostAtOnce = 20;

/** Asks for some whose time has come. @returns how many were found */
export async function findSought(store: Store, connection: LaneConnection): Promise<number> {
  const { config, configuration } = connection;
  const { rows } = await sql<NumberSought>`
    update roster_sought r set next_at = now() + interval '15 minutes'
    from (
      select s.system, s.value from roster_sought s
      where s.connection = ${config.id} and s.patient is null and s.next_at <= now()
        and not exists (select 1 from connection c where c.id = ${config.id} and (c.paused is not null or c.draining_since is not null))
        and not ${isConfiguredOtherwise(config.id, configuration)}
        and not exists (select 1 from budget b where b.connection = ${config.id} and (b.failing or b.rest_until > now() or b.urgent_until > now()))
      order by s.next_at limit ${mostAtOnce} for update skip locked) as due
    where r.connection = ${config.id} and r.system = due.system and r.value = due.value
    returning r.system, r.value`.execute(store.db);
  let found = 0;
  for (const sought of rows) {
    const answer = await find(connection, sought);
    await store.tx((trx) => keep(trx, config.id, sought, answer));
    if ('patient' in answer) found += 1;
  }
  return found;
}

type Answer = { readonly patient: string } | { readonly lasting: Reason } | { readonly again: Reason };

async function find(connection: LaneConnection, { system, value }: NumberSought): Promise<Answer> {
  const { client, vendor } = connection;
  const result = await client.searchAll('Patient', vendor.queries.identifier(system, value), { isPoll: true });
  if (isTooMany(vendor, result)) return { lasting: reason('roster-several', { count: 'too many' }) };
  if (!isSearchResult(result)) return { again: patientSearchFailure(connection, result).reason };
  if (result.restricted) return { lasting: reason('patient-restricted') };
  if (!result.complete) return { again: result.reason };
  // A server that does not know the criterion shows others too.
  const patients = result.resources.filter((one) => carries(one, [{ system, value }]) && replacedBy(one) === undefined);
  const [only, other] = patients;
  if (only === undefined) return { lasting: reason('roster-nobody') };
  if (other !== undefined) return { lasting: reason('roster-several', { count: patients.length }) };
  return { patient: String(only.id) };
}

async function keep(
  trx: Transaction<Database>,
  connection: string,
  { system, value }: NumberSought,
  answer: Answer,
): Promise<void> {
  const patient = 'patient' in answer ? answer.patient : null;
  const why = 'lasting' in answer ? answer.lasting : 'again' in answer ? answer.again : undefined;
  const isLasting = 'lasting' in answer;
  const { rows } = await sql`
    update roster_sought set patient = ${patient}, reason = ${why === undefined ? null : json(why)},
      next_at = case when ${isLasting}::boolean then now() + interval '1 day' else next_at end
    where connection = ${connection} and system = ${system} and value = ${value}
    returning 1`.execute(trx);
  // Taken off the list meanwhile.
  if (rows.length === 0) return;
  if (patient !== null)
    await trx
      .insertInto('roster')
      .values({ connection, patient, origin: 'uploaded' })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  await tell(trx, connection);
}

const lasting = ['patient-restricted', 'roster-nobody', 'roster-several'];

/** One alert while somebody of the list cannot be found; the list says who and why. */
async function tell(trx: Transaction<Database>, connection: string): Promise<void> {
  const topic = `roster-unresolved:${connection}`;
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from roster_sought
    where connection = ${connection} and patient is null and reason ->> 'code' in (${sql.join(lasting)})`.execute(trx);
  const count = rows[0]?.n ?? 0;
  if (count === 0) return closeAlert(trx, topic);
  return openAlertOnce(trx, { topic, connection, reason: reason('roster-unresolved', { connection }) });
}
