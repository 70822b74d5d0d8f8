// A version that cannot be sent and that a person has set aside: it rests until its record has a new one, and holds up nothing but what needs it.

import { type Reason, reason } from '../../errors.ts';
import { type Database, json, type SetAside, type Signed, sql, type Transaction } from '../../store/store.ts';
import type { LinkRow } from '../desire/known.ts';
import { documentSlot } from '../documents/document.ts';
import { goneCodes, nameOf, type ResourceKey } from '../lane-resource.ts';
import type { LaneKey } from '../lease.ts';

/** Why the resource rests, if this version of its record has been set aside. */
export function asideReason(key: ResourceKey, version: number, links: readonly LinkRow[]): Reason | undefined {
  const aside = links.find(({ retired_at }) => retired_at === null)?.set_aside ?? undefined;
  return aside?.version === version && !everyVersion.includes(aside.reason.code)
    ? reason('version-set-aside', { version, target: nameOf(key), why: aside.reason.text })
    : undefined;
}

/** What a person lets rest for one of these reasons rests whatever versions its record has later. */
const everyVersion: readonly string[] = [...goneCodes, 'stored-elsewhere'];

/** Why it rests, if a person lets it be where the server says that it stands: elsewhere, until it is linked after all. */
export function elsewhereReason(key: ResourceKey, links: readonly LinkRow[]): Reason | undefined {
  const left = links.find(
    ({ remote_id, retired_at, ...link }) => remote_id === null && retired_at === null && nameOf(link) === nameOf(key),
  )?.set_aside;
  if (left?.reason.code !== 'stored-elsewhere') return undefined;
  return reason('elsewhere-left', {
    target: nameOf(key),
    by: left.by,
    day: left.at.slice(0, 10),
    why: left.reason.text,
  });
}

/** Why it rests, if a person has said that it is to stay gone: that holds for every version. */
export function leftReason(key: ResourceKey, link: LinkRow | undefined): Reason | undefined {
  const left = link?.set_aside ?? undefined;
  if (left === undefined || !goneCodes.includes(left.reason.code)) return undefined;
  return reason('remote-left', { target: nameOf(key), by: left.by, day: left.at.slice(0, 10), why: left.reason.text });
}

/** Questions of their own are asked about these, or nothing would be gained by leaving the version alone. */
const notForSkipping = [
  'lane-crashed',
  'server-several-matches',
  'version-set-aside',
  'elsewhere-left',
  ...everyVersion,
];

/** Whether a resource that is parked for this reason may be set aside: it was refused, or is not FHIR. */
export function canBeSetAside({ slot }: { readonly slot: string }, { code }: Reason): boolean {
  return slot !== documentSlot && !code.startsWith('patient-') && !notForSkipping.includes(code);
}

/** What of the lane a person could set aside, in the order of its names. */
export async function stuckIn(trx: Transaction<Database>, { connection, subject }: LaneKey) {
  const parked = await trx
    .selectFrom('link')
    .selectAll()
    .where('connection', '=', connection)
    .where('subject', '=', subject)
    .where('state', '=', 'parked')
    .where('retired_at', 'is', null)
    .orderBy('type')
    .orderBy('id')
    .orderBy('slot')
    .forUpdate()
    .execute();
  return parked.flatMap(({ reason: why, record_version: version, ...link }) =>
    why === null || version === null || !canBeSetAside(link, why) ? [] : [{ ...link, version, why }],
  );
}

/** @param wanted names as `nameOf` makes them; undefined: all that are stuck. @returns the names of those that were set aside */
export async function setAside(
  trx: Transaction<Database>,
  { connection, subject }: LaneKey,
  wanted: readonly string[] | undefined,
  signed: Omit<SetAside, 'version' | 'reason'>,
): Promise<string[]> {
  const names: string[] = [];
  for (const { source, type, id, slot, generation, version, why } of await stuckIn(trx, { connection, subject })) {
    const name = nameOf({ type, id, slot });
    if (wanted !== undefined && !wanted.includes(name)) continue;
    await trx
      .updateTable('link')
      .set({ set_aside: json<SetAside>({ ...signed, version, reason: why }) })
      .where('connection', '=', connection)
      .where('source', '=', source)
      .where('type', '=', type)
      .where('id', '=', id)
      .where('slot', '=', slot)
      .where('generation', '=', generation)
      .execute();
    names.push(name);
  }
  return names;
}

/**
 * Keeps that a person has said that these are to stay gone, or where the server says that they are.
 * @param signed who has said it, and when @param why they are gone; undefined: as is kept with the links, and what is there again is not left
 * @returns how many
 */
export async function leaveGone(
  trx: Transaction<Database>,
  connection: string,
  links: readonly Pick<LinkRow, 'source' | 'type' | 'id' | 'slot'>[],
  signed: Signed,
  why?: Reason,
): Promise<number> {
  const keys = links.map(({ source, type, id, slot }) => ({ source, type, id, slot }));
  const told = why === undefined ? null : { code: why.code, text: why.text };
  const { numAffectedRows } = await sql`
    update link l set set_aside = ${json({ ...signed })}::jsonb
      || jsonb_build_object('version', coalesce(l.record_version, 0), 'reason', coalesce(${told && json(told)}::jsonb, l.reason))
    from jsonb_to_recordset(${json(keys)}) as k(source text, type text, id text, slot text)
    where l.connection = ${connection} and l.source = k.source and l.type = k.type and l.id = k.id and l.slot = k.slot
      and l.retired_at is null and (${isMarkedGone} or ${told !== null}::boolean)`.execute(trx);
  return Number(numAffectedRows ?? 0);
}

/** Of the row `l` of a link: it is known not to be at its id. */
export const isMarkedGone = sql<boolean>`(l.state = 'parked' and coalesce(l.reason ->> 'code', '') in (${sql.join(goneCodes)}))`;

/** What was left so in the lane is a question again, where it still is. @returns what stands nowhere, as far as is known */
export async function askAgain(trx: Transaction<Database>, { connection, subject }: LaneKey) {
  const left = await trx
    .updateTable('link')
    .set({ set_aside: null })
    .where('connection', '=', connection)
    .where('subject', '=', subject)
    .where(sql<boolean>`set_aside -> 'reason' ->> 'code' in (${sql.join(everyVersion)})`)
    .returningAll()
    .execute();
  return left.filter(({ remote_id, retired_at }) => remote_id === null && retired_at === null);
}

/** What was left gone is there again. */
export async function forgetLeft(
  trx: Transaction<Database>,
  { connection, source }: Pick<LinkRow, 'connection' | 'source'>,
  keys: readonly ResourceKey[],
): Promise<void> {
  if (keys.length === 0) return;
  await sql`
    update link l set set_aside = null
    from jsonb_to_recordset(${json(keys.map(({ type, id, slot }) => ({ type, id, slot })))}) as k(type text, id text, slot text)
    where l.connection = ${connection} and l.source = ${source} and l.type = k.type and l.id = k.id and l.slot = k.slot
      and l.retired_at is null`.execute(trx);
}
