// The link registry: which resource on a server stands for what, with what we sent and saw there.

import { sql, type Transaction } from 'kysely';
import type { Facts } from '../../mapping/mapping.ts';
import { type Database, json } from '../../store/store.ts';
import type { LaneResource } from '../lane-resource.ts';
import type { LaneKey, Lease } from '../lease.ts';
import { wakeWaiting } from './waiting.ts';

export type LinkTarget = Pick<LaneResource, 'key' | 'resourceType' | 'nextGeneration' | 'recordVersion' | 'route'>;

export interface NewLink {
  readonly remoteId: string;
  readonly origin: 'created' | 'found' | 'theirs';
  readonly versionTag: string | undefined;
  readonly sent: Facts | undefined;
  readonly seen: Facts | undefined;
  readonly seenHash: string | undefined;
  /** Of the slot by which the bases were made. @default not known */
  readonly form?: string | undefined;
  /** The version of the record that all of `sent` says. @default none is known to */
  readonly sentVersion?: number | undefined;
}

/** Stores new links and wakes the lanes that waited for them. @returns the lanes to wake after the commit. */
export async function saveLinks(
  trx: Transaction<Database>,
  lease: Lease,
  links: readonly (readonly [LinkTarget, NewLink])[],
): Promise<LaneKey[]> {
  if (links.length === 0) return [];
  await upsertLinks(lease, links).execute(trx);
  return wakeWaiting(
    trx,
    lease,
    links.map(([{ key }]) => key),
  );
}

/** @param where for a part of a larger statement: when it is to do anything */
export function upsertLinks(lease: Lease, links: readonly (readonly [LinkTarget, NewLink])[], where = sql`true`) {
  const rows = links.map(([{ key, resourceType, nextGeneration, recordVersion, route }, link]) => ({
    type: key.type,
    id: key.id,
    slot: key.slot,
    generation: nextGeneration,
    resource_type: resourceType,
    remote_id: link.remoteId,
    origin: link.origin,
    version_tag: link.versionTag ?? null,
    sent: link.sent === undefined ? null : { ...link.sent },
    seen: link.seen === undefined ? null : { ...link.seen },
    seen_hash: link.seenHash ?? null,
    form: link.form ?? null,
    sent_version: link.sentVersion ?? null,
    record_version: recordVersion,
    route: route.route,
    state: link.origin === 'found' ? 'read' : 'current',
  }));
  return sql`
    insert into link (connection, source, subject, type, id, slot, generation, resource_type, remote_id, origin, version_tag,
      sent, seen, seen_hash, form, sent_version, record_version, route, state)
    select ${lease.connection}, ${lease.source}, ${lease.subject}, l.* from jsonb_to_recordset(${json(rows)})
      as l(type text, id text, slot text, generation integer, resource_type text, remote_id text, origin text, version_tag text,
        sent jsonb, seen jsonb, seen_hash text, form text, sent_version integer, record_version integer, route text, state text)
    where ${where}
    on conflict (connection, source, type, id, slot, generation) do update set
      remote_id = excluded.remote_id, origin = excluded.origin, version_tag = excluded.version_tag, sent = excluded.sent,
      seen = excluded.seen, seen_hash = excluded.seen_hash, form = excluded.form, sent_version = excluded.sent_version, record_version = excluded.record_version, route = excluded.route,
      state = excluded.state, reason = null, updated_at = now()`;
}

/** What is not named stays as it is. Both bases together are of the form of the resource's slot. */
export interface LinkUpdate {
  readonly versionTag?: string | undefined;
  readonly sent?: Facts;
  readonly seen?: Facts | undefined;
  readonly seenHash?: string | undefined;
  readonly sentVersion?: number | undefined;
  readonly retired?: boolean;
}

export async function updateLink(
  trx: Transaction<Database>,
  lease: Lease,
  resource: LaneResource,
  change: LinkUpdate,
): Promise<void> {
  await updateLinks(lease, [[resource, change]]).execute(trx);
}

/**
 * A retired link keeps the cause for which it was retired.
 * @param where for a part of a larger statement: when it is to do anything
 */
export function updateLinks(
  lease: Lease,
  changes: readonly (readonly [LaneResource, LinkUpdate])[],
  where = sql`true`,
) {
  const rows = changes.flatMap(([{ key, link, leave, recordVersion, slot }, change]) =>
    link === undefined
      ? []
      : [
          {
            type: key.type,
            id: key.id,
            slot: key.slot,
            generation: link.generation,
            has_tag: 'versionTag' in change,
            version_tag: change.versionTag ?? null,
            sent: change.sent === undefined ? null : { ...change.sent },
            has_seen: 'seen' in change,
            seen: change.seen === undefined ? null : { ...change.seen },
            has_hash: 'seenHash' in change,
            seen_hash: change.seenHash ?? null,
            form: 'sent' in change && 'seen' in change ? (slot?.form ?? null) : null,
            sent_version: change.sentVersion ?? null,
            retires: change.retired === true,
            cause: leave === undefined ? null : { code: leave.code, text: leave.text },
            record_version: recordVersion,
          },
        ],
  );
  return sql`
    update link l set
      version_tag = case when c.has_tag then c.version_tag else l.version_tag end,
      sent = coalesce(c.sent, l.sent),
      seen = case when c.has_seen then c.seen else l.seen end,
      seen_hash = case when c.has_hash then c.seen_hash else l.seen_hash end,
      form = coalesce(c.form, l.form),
      sent_version = coalesce(c.sent_version, l.sent_version),
      retired_at = case when c.retires then now() else l.retired_at end,
      state = case when c.retires then 'leaving' else l.state end,
      reason = case when c.retires then c.cause else l.reason end,
      record_version = case when c.sent_version = c.record_version then c.record_version else l.record_version end, updated_at = now()
    from jsonb_to_recordset(${json(rows)}) as c(type text, id text, slot text, generation integer, has_tag boolean,
      version_tag text, sent jsonb, has_seen boolean, seen jsonb, has_hash boolean, seen_hash text, form text,
      sent_version integer, retires boolean, cause jsonb, record_version integer)
    where ${where} and l.connection = ${lease.connection} and l.subject = ${lease.subject} and l.source = ${lease.source}
      and l.type = c.type and l.id = c.id
      and l.slot = c.slot and l.generation = c.generation`;
}
