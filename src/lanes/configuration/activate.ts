// What a start does to the store before any lane runs: identity checked, mappings activated, connections known, back-fill wanted
// (lanes.md 22, 23). Every part may run in several processes at once and changes nothing when run again.

import { sql, type Transaction } from 'kysely';
import { CasebridgeError } from '../../errors.ts';
import { isObject, type Json } from '../../json.ts';
import { compileMappings, type MappingFile, type MappingSet, mappingVersion } from '../../mapping/mapping.ts';
import { type Database, json, type Store } from '../../store/store.ts';
import { documentSlot } from '../documents/document.ts';
import type { LaneDeps } from '../lane-connection.ts';
import { noConfiguration } from './configuration.ts';

/**
 * Stores what names our resources on other servers at first use.
 *
 * @throws CasebridgeError `identity-changed` when it is another now: every link would lose its resource.
 */
export async function checkIdentity(store: Store, identifierSystem: string): Promise<void> {
  const name = 'identifierSystem';
  const value = await keptIdentity(store, name, identifierSystem);
  if (value !== identifierSystem)
    throw new CasebridgeError('identity-changed', { name, before: value, after: identifierSystem });
}

/** What the store keeps under the name: this value where it is the first one. */
export async function keptIdentity({ db }: Store, name: string, first: string): Promise<string> {
  await db
    .insertInto('identity')
    .values({ name, value: first })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { value } = await db.selectFrom('identity').select('value').where('name', '=', name).executeTakeFirstOrThrow();
  return value;
}

/**
 * Makes these files the active mapping, if they are not. Nothing is sent because of it: records go out under the new version when they change.
 *
 * @throws CasebridgeError `mapping-invalid`, `identity-changed` (a slot that links exist for is gone): the old version stays active.
 */
export async function activateMapping(store: Store, files: readonly MappingFile[]): Promise<void> {
  if ((await activeVersion(store.db)) === mappingVersion(files)) return;
  const set = compile(files);
  await store.tx(async (trx) => {
    await checkSlots(trx, set);
    const active = await trx
      .selectFrom('mapping')
      .select('version')
      .where('active', '=', true)
      .forUpdate()
      .executeTakeFirst();
    if (active?.version === set.version) return;
    await trx.updateTable('mapping').set({ active: false }).where('active', '=', true).execute();
    const stored = files.map(({ path, text }) => ({ path, text }));
    await trx
      .insertInto('mapping')
      .values({ version: set.version, files: json<Json>(stored), active: true })
      .onConflict((conflict) =>
        conflict.column('version').doUpdateSet({ active: true, activated_at: sql<Date>`now()` }),
      )
      .execute();
  });
}

/** The mapping version that the store names as active, if it names any. */
export async function activeVersion(db: Pick<Store['db'], 'selectFrom'>): Promise<string | undefined> {
  const row = await db.selectFrom('mapping').select('version').where('active', '=', true).executeTakeFirst();
  return row?.version;
}

async function checkSlots(trx: Transaction<Database>, set: MappingSet): Promise<void> {
  const { rows } = await sql<{ type: string; slot: string }>`
    select distinct type, regexp_replace(slot, '\\[.*$', '') as slot from link where remote_id is not null and retired_at is null and slot <> ${documentSlot}`.execute(
    trx,
  );
  const known = new Set(
    set.mappings.flatMap(({ recordType, slots }) => slots.map(({ name }) => `${recordType}#${name}`)),
  );
  const lost = rows.find(({ type, slot }) => !known.has(`${type}#${slot}`));
  if (lost !== undefined)
    throw new CasebridgeError('identity-changed', {
      name: `The slot ${lost.type}#${lost.slot}`,
      before: 'there',
      after: 'gone',
    });
}

/** The set compiled last: a start needs it to activate a version and again to run lanes by it. */
let last: MappingSet | undefined;

function compile(files: readonly MappingFile[]): MappingSet {
  if (last?.version === mappingVersion(files)) return last;
  const compiled = compileMappings(files);
  if ('set' in compiled) {
    last = compiled.set;
    return last;
  }
  const problems = compiled.problems.map(({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`);
  throw new CasebridgeError('mapping-invalid', { problems: problems.join('\n') });
}

/** @throws CasebridgeError `mapping-invalid`: a start would not use these files */
export function checkMapping(files: readonly MappingFile[]): void {
  compile(files);
}

/** Gives out the mapping that the store names as active, compiled once per version; no process runs a lane with another. */
export function activeMappings(store: Store): LaneDeps['mappings'] {
  let current: MappingSet | undefined;
  return async (known) => {
    if (current !== undefined && current.version === known) return current;
    const active = await store.db
      .selectFrom('mapping')
      .select('version')
      .where('active', '=', true)
      .executeTakeFirstOrThrow();
    if (current?.version === active.version) return current;
    const { files } = await store.db
      .selectFrom('mapping')
      .select('files')
      .where('version', '=', active.version)
      .executeTakeFirstOrThrow();
    current = compile(readFiles(files));
    return current;
  };
}

function readFiles(files: Json): MappingFile[] {
  return (Array.isArray(files) ? files : []).flatMap((file) =>
    isObject(file) && typeof file.path === 'string' && typeof file.text === 'string'
      ? [{ path: file.path, text: file.text }]
      : [],
  );
}

/** Notes since when all other connections are off, switched off or configured no more; plans made before are void. */
export async function noteOff({ db }: Store, on: readonly string[]): Promise<void> {
  await db
    .updateTable('connection')
    .set({ off_since: sql<Date>`now()`, configuration: noConfiguration, epoch: sql<number>`epoch + 1` })
    .where('off_since', 'is', null)
    .where(
      sql<boolean>`id not in (select o.id from jsonb_to_recordset(${json(on.map((id) => ({ id })))}) as o(id text))`,
    )
    .execute();
}

/** The embedded store has one process: whoever held a lease before this start is dead, and sends nothing any more. */
export async function freeDeadLeases(store: Store): Promise<void> {
  if (store.kind !== 'embedded') return;
  await store.db.updateTable('lane').set({ lease_until: null, lease_holder: null, queued_until: null }).execute();
  await store.db.updateTable('poll').set({ lease_until: null }).execute();
  await store.db
    .updateTable('operation')
    .set({ send_before: sql<Date>`least(send_before, now())` })
    .where('outcome', 'is', null)
    .execute();
}
