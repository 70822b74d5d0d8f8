// The newest look at each resource of a server, and what tells two looks apart.

import { sql, type Transaction } from 'kysely';
import { contentHash } from '../../fhir/fhir.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { type Database, json } from '../../store/store.ts';
import { patientOf } from '../patients/patient-of.ts';

export interface SeenResource {
  readonly resourceType: string;
  readonly remoteId: string;
  readonly versionTag: string | undefined;
  /** Undefined: the server told us only that it stored it, or that it is gone. */
  readonly body: JsonObject | undefined;
  /** The server says so. */
  readonly isGone?: boolean;
  /** In whose chart, by the server's id. @default what the body says in a relative reference */
  readonly patient?: string | undefined;
  /** Who looked. @default 'run' */
  readonly origin?: 'run' | 'poll' | 'adt';
  /** No record has a link to it: it waits to be taken up. */
  readonly isNews?: boolean;
}

/** A hash that is equal when nothing but the version number and time of a resource differ. */
export function hashOfSeen(body: JsonObject): string {
  const { meta, ...content } = body;
  if (!isObject(meta)) return contentHash(content);
  const { versionId: _version, lastUpdated: _time, ...rest } = meta;
  return contentHash({ ...content, meta: rest });
}

/** Keeps the newest look at each resource; also what tells a poll that it is our own echo. */
export async function saveSeen(
  trx: Transaction<Database>,
  connection: string,
  ...looks: readonly SeenResource[]
): Promise<void> {
  if (looks.length > 0) await upsertSeen(connection, looks).execute(trx);
}

/** @param where for a part of a larger statement: when it is to do anything */
export function upsertSeen(connection: string, looks: readonly SeenResource[], where = sql`true`) {
  const rows = looks.map(({ isGone = false, origin = 'run', isNews = false, ...look }) => ({
    resource_type: look.resourceType,
    remote_id: look.remoteId,
    version_tag: look.versionTag ?? null,
    hash: look.body === undefined ? null : hashOfSeen(look.body),
    body: look.body ?? null,
    gone: isGone,
    patient: look.patient ?? (look.body && patientOf(look.body)) ?? null,
    origin,
    news: isNews,
  }));
  return sql`
    insert into seen (connection, resource_type, remote_id, version_tag, hash, body, gone, patient, origin, news_since)
    select ${connection}, s.resource_type, s.remote_id, s.version_tag, s.hash, s.body, s.gone, s.patient, s.origin,
      case when s.news then now() end
    from jsonb_to_recordset(${json(rows)}) as s(resource_type text, remote_id text, version_tag text, hash text, body jsonb,
      gone boolean, patient text, origin text, news boolean)
    where ${where} order by 2, 3
    on conflict (connection, resource_type, remote_id) do update set
      version_tag = excluded.version_tag, hash = excluded.hash, body = excluded.body, gone = excluded.gone, seen_at = now(),
      patient = coalesce(excluded.patient, seen.patient), origin = excluded.origin, absent_since = null,
      news_since = coalesce(seen.news_since, excluded.news_since)`;
}
