// What happened in a case, newest first, read from what the store holds: records and their versions, changes, operations, looks, decisions, clocks,
// links and alerts. There is no log of its own, so nothing can be missing from it that the store knows.

import { CasebridgeError, type Reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';
import { type Teller, type TimelineEntry, timelineEntry } from './timeline-words.ts';

/** In the order in which they follow from each other, for what happened at the same instant. */
const rowKinds = [
  'record',
  'clock',
  'partner',
  'change',
  'withheld',
  'sent',
  'seen',
  'decision',
  'decided',
  'alert',
] as const;
export type TimelineKind = (typeof rowKinds)[number];

/** What a timeline can be asked for: the kinds of its entries, and the moves of referrals, which are of several kinds. */
export const timelineFilters = [...rowKinds, 'move'] as const;

export interface TimelineFilter extends Teller {
  /** Subjects whose records it tells of: a case and its client. */
  readonly subjects: readonly string[];
  /** Only what happened with this connection. */
  readonly connection?: string;
  /** One of `timelineFilters`. */
  readonly kind?: string;
  readonly limit: number;
  readonly after?: string;
}

/** A row as the words are made from it. */
export interface TimelineRow {
  readonly key: string;
  readonly at: Date;
  readonly kind: TimelineKind;
  readonly connection: string | null;
  readonly type: string | null;
  readonly id: string | null;
  readonly slot: string | null;
  readonly version: number | null;
  /** Which of its kind: a change's op, a partner's status, an operation's or a decision's kind, a decision's answer, what a clock did, a link's state, an alert's topic. */
  readonly what: string | null;
  readonly reason: Reason | null;
  /** The person who did it. */
  readonly by: string | null;
  readonly note: string | null;
  /** By kind; see the branches below. */
  readonly detail: JsonObject;
}

/** `{items, next}`. @throws CasebridgeError `cursor-invalid` */
export async function listTimeline({ db }: Store, filter: TimelineFilter): Promise<Page<TimelineEntry>> {
  const { source, connection = null, kind = null, limit } = filter;
  const after = cursorKey('timeline', filter.after, ['', 0, 0, ''] as const);
  const [at, step, n, key] = after ?? ['', 0, 0, ''];
  if (after !== undefined && !isInstant(at)) throw new CasebridgeError('cursor-invalid');
  const subjects = sql.join(filter.subjects);
  const { rows } = await sql<Selected>`
    with own as (select source, type, id, client_id from record where source = ${source} and subject in (${subjects})),
    line as (${branches(source, subjects)}),
    part as (
      select *, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as exact from line
      where (${connection}::text is null or connection = ${connection})
        and (${kind}::text is null or kind = ${kind} or (${kind} = 'move' and moves))
        and (${after === undefined} or (at, step, n, key) < (${after === undefined ? null : at}::timestamptz, ${step}, ${n}::bigint, ${key}))
      order by at desc, step desc, n desc, key desc
      limit ${limit + 1}
    )
    select part.*, detail || coalesce(version_detail, '{}') || coalesce(change_detail, '{}') as detail from part
    left join lateral (${versionDetail(source)}) v on part.kind = 'record'
    left join lateral (${changeDetail(source)}) c on part.kind = 'change'
    order by at desc, step desc, n desc, key desc`.execute(db);
  return page(
    rows,
    limit,
    (row) => timelineEntry(filter, row),
    (row) => cursorText('timeline', [row.exact, row.step, Number(row.n), row.key]),
  );
}

interface Selected extends TimelineRow {
  /** `at` with its microseconds. */
  readonly exact: string;
  readonly step: number;
  readonly n: number;
}

function isInstant(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text) && !Number.isNaN(Date.parse(text));
}

type Sql = ReturnType<typeof sql>;

const step = (kind: TimelineKind): Sql => sql.lit(rowKinds.indexOf(kind));

/** Every row has the columns at, kind, step, n, key, connection, type, id, slot, version, what, moves, reason, by, note, detail. */
function branches(source: string, subjects: Sql): Sql {
  return sql`
    select v.accepted_at as at, 'record' as kind, ${step('record')} as step, v.version::bigint as n, concat_ws('/', 'record', v.type, v.id, v.version) as key,
      null as connection, v.type, v.id, null as slot, v.version, null as what,
      v.type = 'referral' and (v.content -> 'status') is distinct from (
        select w.content -> 'status' from record_version w
        where w.source = v.source and w.type = v.type and w.id = v.id and w.version = v.version - 1) as moves,
      null::jsonb as reason, null as by, null as note, '{}'::jsonb as detail
    from own join record_version v using (source, type, id)

    union all
    select e.at, 'clock', ${step('clock')}, e.n, concat_ws('/', 'clock', c.type, c.id, c.rule, nullif(c.part, ''), e.what),
      null, c.type, c.id, null, null, e.what, false, case when e.what <> 'started' then c.reason end, null, null,
      jsonb_build_object('rule', c.rule, 'dueAt', c.due_at, 'state', c.state)
    from clock c cross join lateral (values
      (0, c.started_at, 'started'),
      (1, c.paused_since, 'paused'),
      (2, case c.state when 'breached' then c.due_at end, 'breached'),
      (3, case c.state when 'met' then c.stopped_at end, 'met'),
      (3, case c.state when 'breached' then c.stopped_at end, 'stopped-late')) as e(n, at, what)
    where c.subject in (${subjects}) and e.at is not null

    union all
    select c.at, 'change', ${step('change')}, c.cursor, concat_ws('/', 'change', c.cursor), c.connection, c.type, c.id, null, null, c.op,
      c.type = 'referral' and coalesce(jsonb_exists(c.body, 'status'), false), null, null, null, jsonb_build_object('cursor', c.cursor)
    from (
      select cursor from change where source = ${source} and subject in (${subjects})
      union select f.cursor from own join change f using (source, type, id)
      -- What became a record of the case under another id.
      union select f.cursor from own join record r using (source, type, id)
        join change p on p.source = r.source and p.op = 'propose' and p.body -> 'origin' = r.content -> 'origin'
        join change f on f.source = p.source and f.type = p.type and f.id = p.id) found
    join change c on c.source = ${source} and c.cursor = found.cursor

    union all
    select l.updated_at, 'withheld', ${step('withheld')}, l.generation, concat_ws('/', 'withheld', l.connection, l.type, l.id, l.slot),
      l.connection, l.type, l.id, l.slot, l.record_version, l.state, false, l.reason, null, null, jsonb_build_object('resourceType', l.resource_type)
    from own join link l using (source, type, id) where l.retired_at is null and l.state in ('withheld', 'parked')
    union all
    select (l.set_aside ->> 'at')::timestamptz, 'withheld', ${step('withheld')}, l.generation, concat_ws('/', 'set-aside', l.connection, l.type, l.id, l.slot),
      l.connection, l.type, l.id, l.slot, (l.set_aside ->> 'version')::integer, 'set-aside', false, l.set_aside -> 'reason', l.set_aside ->> 'by',
      l.set_aside ->> 'note', jsonb_build_object('resourceType', l.resource_type)
    from own join link l using (source, type, id) where l.retired_at is null and l.set_aside is not null
    union all
    select (l.stopped ->> 'at')::timestamptz, 'withheld', ${step('withheld')}, 0, concat_ws('/', 'stopped', l.connection, l.subject),
      l.connection, null, null, null, null, 'stopped', false, null, l.stopped ->> 'by', l.stopped ->> 'note', '{}'
    from lane l where l.subject in (${subjects}) and l.stopped is not null

    union all
    select o.intended_at, 'sent', ${step('sent')}, o.id, concat_ws('/', 'sent', o.id), o.connection, o.type, o.record_id, o.slot, o.record_version, o.kind,
      o.kind in ('move', 'ask', 'unask'), o.reason, null, null,
      jsonb_build_object('resourceType', o.resource_type, 'resourceId', coalesce(o.remote_id, l.remote_id), 'outcome', o.outcome, 'status', o.status,
        'answeredAt', o.closed_at, 'route', o.route, 'routeReason', o.route_reason, 'to', case when o.kind = 'move' then o.sent -> 'status' end)
    from own join operation o on o.source = own.source and o.type = own.type and o.record_id = own.id
    left join link l on l.connection = o.connection and l.source = o.source and l.type = o.type and l.id = o.record_id and l.slot = o.slot
      and l.generation = o.generation

    union all
    select coalesce(m.sent_at, m.created_at), 'sent', ${step('sent')}, m.id, concat_ws('/', 'message', m.id), m.partner, l.type, l.id, l.slot, null, 'message',
      false, m.reason, null, null, jsonb_build_object('resourceType', l.resource_type, 'resourceId', l.remote_id, 'event', split_part(m.event, ':', 1),
        'state', m.state)
    from own join link l using (source, type, id)
    join partner_message m on m.partner = l.connection and m.task_id = l.remote_id
    where l.resource_type = 'Task' and m.state <> 'needless'

    union all
    select s.seen_at, 'seen', ${step('seen')}, l.generation, concat_ws('/', 'seen', l.connection, l.resource_type, l.remote_id),
      l.connection, l.type, l.id, l.slot, null, case when s.gone then 'gone' else 'there' end, false, null, null, null,
      jsonb_build_object('resourceType', l.resource_type, 'resourceId', l.remote_id, 'versionTag', s.version_tag,
        'changedAt', s.body #> '{meta,lastUpdated}')
    from own join link l using (source, type, id)
    join seen s on s.connection = l.connection and s.resource_type = l.resource_type and s.remote_id = l.remote_id
    where l.retired_at is null and s.seen_at > coalesce((
      select max(o.closed_at) from operation o where o.source = l.source and o.type = l.type and o.record_id = l.id
        and o.connection = l.connection and o.slot = l.slot and o.generation = l.generation), '-infinity')

    union all
    select i.updated_at, 'seen', ${step('seen')}, 0, concat_ws('/', 'inbound', i.connection, i.type, i.resource_type, i.remote_id),
      i.connection, nullif(i.type, 'none'), null, null, null, 'kept', false, i.reason, null, null,
      jsonb_build_object('resourceType', i.resource_type, 'resourceId', i.remote_id)
    from inbound i where i.source = ${source} and i.subject in (${subjects}) and i.state = 'kept' and i.reason is not null
      and i.reason ->> 'code' <> 'inbound-sub-task'
    union all
    -- What whoever performs a referral passes on of it, in the case of that referral.
    select i.updated_at, 'seen', ${step('seen')}, 0, concat_ws('/', 'inbound', i.connection, i.type, i.resource_type, i.remote_id),
      i.connection, i.type, w.id, null, null, 'passed-on', false, i.reason, null, null,
      jsonb_build_object('resourceType', i.resource_type, 'resourceId', i.remote_id, 'status', s.body -> 'status',
        'owner', s.body -> 'owner', 'ownerType', o.type, 'ownerId', o.id)
    from inbound i
    left join seen s on s.connection = i.connection and s.resource_type = i.resource_type and s.remote_id = i.remote_id
    left join lateral (
      select l.id, l.subject from jsonb_array_elements(case jsonb_typeof(s.body -> 'partOf') when 'array' then s.body -> 'partOf' end) p
      join link l on l.connection = i.connection and l.resource_type = 'Task' and l.source = i.source and l.type = 'referral'
        and l.remote_id = substring(p ->> 'reference' from 'Task/([A-Za-z0-9.-]{1,64})')
      limit 1) w on true
    left join lateral (
      select k.type, k.id from link k where k.connection = i.connection and k.source = i.source and k.retired_at is null
        and k.type in ('organization', 'worker', 'service') and k.resource_type = split_part(s.body #>> '{owner,reference}', '/', 1)
        and k.remote_id = split_part(s.body #>> '{owner,reference}', '/', 2)
      limit 1) o on true
    where i.source = ${source} and i.subject in (${subjects}) and i.state in ('kept', 'withdrawn')
      and i.reason ->> 'code' = 'inbound-sub-task' and (w.subject is null or w.subject in (${subjects}))

    union all
    select v.at, 'partner', ${step('partner')}, v.version, concat_ws('/', 'partner', v.partner, v.resource_type, v.id, v.version),
      v.partner, p.type, p.id, p.slot, null, v.body ->> 'status', v.resource_type = 'Task' and (v.body -> 'status') is distinct from (b.body -> 'status'),
      null, v.written_by, null, jsonb_build_object('resourceType', v.resource_type, 'resourceId', v.id, 'was', b.body -> 'status')
    from (
      select l.type, l.id, l.slot, l.connection, l.resource_type, l.remote_id from own join link l using (source, type, id) where l.remote_id is not null
      union all
      select l.type, l.id, l.slot, l.connection, h.resource_type, h.id from own join link l using (source, type, id)
      join home_resource h on h.partner = l.connection and h.based_on = 'ServiceRequest/' || l.remote_id and h.own_value is null
      where l.resource_type = 'ServiceRequest') p
    join home_version v on v.partner = p.connection and v.resource_type = p.resource_type and v.id = p.remote_id and v.written_by <> 'casebridge'
    left join home_version b on b.partner = v.partner and b.resource_type = v.resource_type and b.id = v.id and b.version = v.version - 1

    union all
    select d.opened_at, 'decision', ${step('decision')}, d.id, concat_ws('/', 'decision', d.id), d.connection, d.type, d.record_id, d.slot, null, d.kind, false,
      d.reason, null, null, jsonb_build_object('decision', d.id, 'state', d.state)
    from decision d where d.subject in (${subjects})
    union all
    select d.decided_at, 'decided', ${step('decided')}, d.id, concat_ws('/', 'decided', d.id), d.connection, d.type, d.record_id, d.slot, null, d.choice, false,
      d.reason, d.decided_by, d.note, jsonb_build_object('decision', d.id, 'state', d.state, 'effect', (
        select c ->> 'effect' from jsonb_array_elements(case jsonb_typeof(d.choices) when 'array' then d.choices end) as c where c ->> 'choose' = d.choice limit 1))
    from decision d where d.subject in (${subjects}) and d.decided_at is not null

    union all
    select a.opened_at, 'alert', ${step('alert')}, a.id, concat_ws('/', 'alert', a.id), a.connection, null, null, null, null, a.topic, false, a.reason, null, null,
      jsonb_build_object('alert', a.id, 'count', a.count, 'resolvedAt', a.resolved_at, 'resolution', a.resolution, 'recipients', a.recipients)
    from alert a where a.topic in (
      select 'clock-breached:' || concat_ws(':', c.source, c.type || '/' || c.id, c.rule, nullif(c.part, '')) from clock c where c.subject in (${subjects})
      union select c.topic from clock c where c.subject in (${subjects}) and c.topic is not null
      union select 'lane-crashed:' || l.connection || ':' || l.subject from lane l where l.subject in (${subjects}))`;
}

/** Of a version: which fields differ from the version before, its status and that one's, and the steps of a referral's history that are new. */
function versionDetail(source: string): Sql {
  return sql`
    select jsonb_build_object('fields', (
        select jsonb_agg(name order by name) from (
          select coalesce(a.key, b.key) as name from jsonb_each(v.content) a full join jsonb_each(w.content) b on a.key = b.key
          where a.value is distinct from b.value) as differing
        where w.content is not null and name not in ('id', 'updatedAt')),
      'status', v.content -> 'status', 'was', w.content -> 'status', 'deleted', v.content -> 'deleted',
      'steps', ${newSteps(sql`v.content`, sql`w.content`)}) as version_detail
    from record_version v left join record_version w on w.source = v.source and w.type = v.type and w.id = v.id and w.version = v.version - 1
    where v.source = ${source} and v.type = part.type and v.id = part.id and v.version = part.version`;
}

/**
 * Of a change: what it offers and, field by field, the first version since that says the same; the record that has taken over what was proposed, or
 * the version that withdrew; the decision that was opened because its source refused it.
 */
function changeDetail(source: string): Sql {
  const since = sql`v.source = c.source and v.type = c.type and v.id = c.id and v.accepted_at >= c.at`;
  return sql`
    select jsonb_build_object('fields', (
        select jsonb_agg(jsonb_build_object('name', f.key, 'value', f.value, 'version', (
          select min(v.version) from record_version v
          where ${since} and coalesce(v.content -> f.key, 'null') @> jsonb_strip_nulls(f.value))) order by f.key)
        from jsonb_each(case when c.op = 'patch' and jsonb_typeof(c.body) = 'object' then c.body end) f),
      'proposal', case when c.op = 'propose' then (select i.state from inbound i where i.source = c.source and i.type = c.type and i.id = c.id) end,
      'adopted', case c.op
        when 'withdraw' then (select jsonb_build_object('type', v.type, 'id', v.id) from record_version v
          where ${since} and v.content -> 'deleted' = 'true' limit 1)
        when 'propose' then coalesce(
          (select jsonb_build_object('type', r.type, 'id', r.id) from own join record r using (source, type, id)
            where r.type = c.type and r.content -> 'origin' = c.body -> 'origin' limit 1),
          (select jsonb_build_object('type', r.type, 'id', r.id) from record r
            where r.source = c.source and r.client_id in (select client_id from own) and r.type = c.type
              and r.content -> 'origin' = c.body -> 'origin' limit 1)) end,
      'refused', (select d.id from decision d where d.connection = c.connection and d.subject = c.subject and d.topic = 'change:' || c.cursor limit 1),
      'steps', ${newSteps(
        sql`c.body`,
        sql`(select v.content from record_version v where v.source = c.source and v.type = c.type and v.id = c.id and v.accepted_at <= c.at
        order by v.version desc limit 1)`,
      )}) as change_detail
    from change c where c.source = ${source} and c.cursor = part.n`;
}

/** The items of a referral's history that it did not have before. */
function newSteps(content: Sql, before: Sql): Sql {
  return sql`case when part.type = 'referral' then (
    select jsonb_agg(h) from jsonb_array_elements(case jsonb_typeof(${content} -> 'history') when 'array' then ${content} -> 'history' end) as h
    where not coalesce(${before} -> 'history' @> jsonb_build_array(h), false)) end`;
}
