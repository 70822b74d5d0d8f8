// A version that cannot be sent and that a person has set aside: it rests until its record has a new one, and holds up nothing but what needs it.

import { type Reason, reason } from '../errors.ts';
import { type Database, json, type SetAside, type Transaction } from '../store/store.ts';
import { documentSlot } from './documents/document.ts';
import type { LinkRow } from './known.ts';
import { nameOf, type ResourceKey } from './lane-resource.ts';
import type { LaneKey } from './lease.ts';

/** Why the resource rests, if this version of its record has been set aside. */
export function asideReason(key: ResourceKey, version: number, links: readonly LinkRow[]): Reason | undefined {
  const aside = links.find(({ retired_at }) => retired_at === null)?.set_aside ?? undefined;
  return aside?.version === version
    ? reason('version-set-aside', { version, target: nameOf(key), why: aside.reason.text })
    : undefined;
}

/** Questions of their own are asked about these, or nothing would be gained by leaving the version alone. */
const notForSkipping = ['lane-crashed', 'remote-gone', 'server-several-matches', 'version-set-aside'];

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
