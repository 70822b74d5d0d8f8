// The run of a client's lane takes up what began on the other side about that patient: offers it to the source, keeps it with the reason why not,
// takes it back, or asks a person. Done again, or after a crash at any point, it changes nothing that stands (lanes.md 14, 20).

import type { MappingSet } from '../../mapping/mapping.ts';
import { json, type Store, sql } from '../../store/store.ts';
import { type Change, offerChanges } from '../changes.ts';
import { closeObsolete, openDecision } from '../decisions/decisions.ts';
import type { LaneConnection, Run } from '../lane-connection.ts';
import { type LaneKey, type Lease, underLease } from '../lease.ts';
import { raiseWanted } from '../links/wanted.ts';
import type { Failure } from '../look/search-failure.ts';
import { markClocks } from '../mark-clocks.ts';
import { localName, type Named, orderOf, partOf, patientsOf, pointedAtBy } from './about.ts';
import { type Around, readAround } from './around.ts';
import { type Looks, lookInStore, lookThere, mostLooks, readThere } from './look.ts';
import { type AttachmentLook, type InboundPlan, type PlannedChange, planInbound } from './plan/plan.ts';
import { type InboundRow, storeInbound } from './rows.ts';

export type Taken = { readonly kind: 'nothing' } | { readonly kind: 'stored' } | Failure;

/** Attachments of documents, which one run reads once and nobody keeps. */
export interface Texts {
  readonly looks: Map<string, AttachmentLook>;
  /** Database time at which what could not be read, or is not shown to us, is tried again. */
  againAt: Date | undefined;
}

/** A patient or an order that the server does not show may come after the Task that names it, or a scope be granted later. */
const unshownAgainMs = { least: 15 * 60_000, most: 24 * 60 * 60_000 };

/** More documents than are written about one patient between two looks; what is beyond is read by the next run. */
const mostTexts = 20;
const unreadAgainMs = 60 * 60_000;

export async function takeInbound(run: Run, mappings: MappingSet, now: Date, texts: Texts): Promise<Taken> {
  const { deps, connection, lease } = run;
  const rows = await readRows(deps.store, lease);
  if (rows.length === 0) return { kind: 'nothing' };
  const looks: Looks = new Map();
  const failure = await lookAround(run, rows, looks, texts, now);
  if (failure !== undefined) return failure;
  const around = await readAround(run, rows, looks);
  if (await handOver(run, rows, around)) return { kind: 'stored' };
  const { identifierSystem } = deps;
  const input = {
    connection,
    source: lease.source,
    timeZone: deps.timeZone(lease.source),
    identifierSystem,
    mappings,
    rows,
    looks,
    texts: texts.looks,
    around,
    now,
  };
  const unread = await readTexts(connection, planInbound(input).toRead, texts, now);
  if (unread !== undefined) return unread;
  const planned = planInbound(input);
  const isNews = planned.changes.length + planned.answered.length > 0;
  await takeUp(run, rows);
  if (isNews) await store(run, planned);
  return { kind: isNews ? 'stored' : 'nothing' };
}

/** What the server cannot say now is tried again later, and holds up nothing else. */
async function readTexts(
  connection: LaneConnection,
  named: readonly Named[],
  texts: Texts,
  now: Date,
): Promise<Failure | undefined> {
  const again = (afterMs: number) => tryAgain(texts, now.getTime() + afterMs);
  for (const one of named) {
    if (texts.looks.size >= mostTexts) {
      again(0);
      return undefined;
    }
    const found = await readThere(connection, one);
    if ('look' in found) texts.looks.set(localName(one), found.look);
    else if (found.kind === 'config') return found;
    else {
      texts.looks.set(localName(one), 'unread');
      again(found.afterMs ?? unreadAgainMs);
    }
  }
  return undefined;
}

function tryAgain(texts: Texts, at: number): void {
  texts.againAt = new Date(Math.min(texts.againAt?.getTime() ?? Number.POSITIVE_INFINITY, at));
}

/** What turned out to be ours is no business of this. */
async function readRows({ db }: Store, { connection, source, subject }: Lease): Promise<InboundRow[]> {
  return (
    db
      .selectFrom('inbound as i')
      .selectAll()
      .where('connection', '=', connection)
      .where('subject', '=', subject)
      .where('source', '=', source)
      // What a partner arranges is offered where it is made (`offer-made.ts`).
      .where('type', '<>', 'appointment')
      .where(
        sql<boolean>`(state not in ('new', 'kept') or not exists (select 1 from link l where l.connection = i.connection
        and l.resource_type = i.resource_type and l.remote_id = i.remote_id and l.type <> 'client')
          and not (i.resource_type = 'DocumentReference' and exists (
            select 1 from edition e where e.connection = i.connection and e.remote_id = i.remote_id)))`,
      )
      .orderBy('noted_at')
      .orderBy('type')
      .orderBy('id')
      .execute()
  );
}

/** Looks at the rows' resources, and at what open referrals point at. */
async function lookAround(
  run: Run,
  rows: readonly InboundRow[],
  looks: Looks,
  texts: Texts,
  now: Date,
): Promise<Failure | undefined> {
  const { deps, connection, lease } = run;
  const { baseUrl } = connection.config;
  const since = Math.max(...rows.filter(isWaiting).map(({ updated_at: at }) => at.getTime()));
  // The wait doubles: it is as long again as what names it had waited when it was looked at last.
  const isOutdated = ({ resourceType }: Named, lookedAt = now) => {
    if (resourceType !== 'Patient' && resourceType !== 'ServiceRequest') return false;
    const at = lookedAt.getTime();
    const next = at + Math.min(unshownAgainMs.most, Math.max(unshownAgainMs.least, at - since));
    if (next <= now.getTime()) return true;
    tryAgain(texts, next);
    return false;
  };
  const own = rows.map(({ resource_type: resourceType, remote_id: id }) => ({ resourceType, id }));
  await lookInStore(deps.store, lease.connection, looks, own);
  const referrals = own.filter((_, at) => rows[at]?.type === 'referral' && isOpen(rows[at]));
  const lead = (named: Named) => pointedAt(looks, named, baseUrl);
  const waiting = own.filter((_, at) => isWaiting(rows[at]));
  const failure =
    (await lookAlong(run, looks, waiting, lead, isOutdated)) ?? (await lookAlong(run, looks, referrals, lead));
  if (failure !== undefined) return failure;
  // What is asked of nobody in particular may be a part of something of ours.
  const open = referrals.filter((named) => isForAnybody(looks, named));
  return lookAlong(run, looks, open, (named) => wholes(looks, named, baseUrl));
}

/** Looks at these, and at what they lead to. */
async function lookAlong(
  run: Run,
  looks: Looks,
  from: readonly Named[],
  lead: (named: Named) => readonly Named[],
  isOutdated?: (named: Named, lookedAt?: Date) => boolean,
): Promise<Failure | undefined> {
  const { deps, lease } = run;
  let next = from;
  let asked = 0;
  const known = new Set<string>();
  while (next.length > 0) {
    await lookInStore(deps.store, lease.connection, looks, next, isOutdated);
    for (const named of next) {
      known.add(localName(named));
      if (looks.has(localName(named)) || asked >= mostLooks) continue;
      asked += 1;
      const failure = await lookThere(run, looks, named);
      if (failure !== undefined) return failure;
      if (typeof looks.get(localName(named)) === 'string') isOutdated?.(named);
    }
    const found = next.flatMap(lead);
    next = asked >= mostLooks ? [] : found.filter((named) => !known.has(localName(named)));
  }
  return undefined;
}

function isForAnybody(looks: Looks, named: Named): boolean {
  const look = looks.get(localName(named));
  return look !== undefined && typeof look !== 'string' && look.body.owner === undefined;
}

function wholes(looks: Looks, named: Named, baseUrl: string): Named[] {
  const look = looks.get(localName(named));
  return look === undefined || typeof look === 'string' ? [] : partOf(look.body, baseUrl);
}

/** What is not shown may yet say more of it, or that it can be offered at all. */
function isWaiting(row: InboundRow | undefined): boolean {
  const isUntold = row?.reason?.code === 'inbound-patient-unknown' || row?.reason?.code === 'inbound-no-patient';
  return row?.type === 'referral' && (row.state === 'new' || row.state === 'proposed' || (isUntold && isOpen(row)));
}

function isOpen(row: InboundRow | undefined): boolean {
  return row !== undefined && row.state !== 'refused' && row.state !== 'adopted';
}

function pointedAt(looks: Looks, named: Named, baseUrl: string): Named[] {
  const look = looks.get(localName(named));
  if (look === undefined || typeof look === 'string') return [];
  const { body } = look;
  const patients = patientsOf(body, baseUrl).map((id) => ({ resourceType: 'Patient', id }));
  const order = named.resourceType === 'Task' ? orderOf(body, baseUrl) : undefined;
  if (named.resourceType === 'Task') return order === undefined ? patients : [...patients, order];
  return named.resourceType === 'ServiceRequest' ? [...patients, ...pointedAtBy(body, baseUrl)] : [];
}

/**
 * What is of a client with another lane goes there, open questions with it, and the clocks of both are worked out anew.
 * @returns whether anything was
 */
async function handOver(run: Run, rows: readonly InboundRow[], { clients }: Around): Promise<boolean> {
  const { deps, lease } = run;
  // What the lane of a case has heard of its referrals is its own.
  if (!lease.subject.startsWith(`${lease.source}.client.`)) return false;
  const others = rows.filter(isOpen).flatMap((row) => {
    const subject = clients.get(row.patient ?? '')?.subject;
    return subject === undefined || subject === lease.subject ? [] : [{ row, subject }];
  });
  if (others.length === 0) return false;
  const lanes = [...new Set(others.map(({ subject }) => subject))];
  await underLease(run, async (trx) => {
    for (const { row, subject } of others)
      await trx
        .updateTable('inbound')
        // Without its look it is judged there from the beginning, and what is to be asked about it is asked there.
        .set({ subject, look: null, updated_at: sql<Date>`now()` })
        .where('connection', '=', lease.connection)
        .where('source', '=', lease.source)
        .where('type', '=', row.type)
        .where('resource_type', '=', row.resource_type)
        .where('remote_id', '=', row.remote_id)
        .execute();
    await closeObsolete(
      trx,
      lease,
      others.map(({ row }) => `inbound:${row.resource_type}/${row.remote_id}`),
    );
    if (others.some(({ row }) => row.type === 'hospitalStay'))
      for (const subject of [lease.subject, ...lanes]) await markClocks(trx, subject);
    await raiseWanted(trx, keysOf(lease, lanes), { priority: 10 });
  });
  deps.wake(keysOf(lease, lanes));
  return true;
}

function keysOf({ connection }: Lease, subjects: readonly string[]): LaneKey[] {
  return subjects.map((subject) => ({ connection, subject }));
}

/** What the polls had put by is taken up. */
async function takeUp({ deps, lease }: Run, rows: readonly InboundRow[]): Promise<void> {
  const named = json(rows.map(({ resource_type: type, remote_id: id }) => ({ type, id })));
  const waiting = await sql`
    select 1 from jsonb_to_recordset(${named}) as n(type text, id text) join seen s on s.connection = ${lease.connection}
      and s.resource_type = n.type and s.remote_id = n.id where s.news_since is not null limit 1`.execute(
    deps.store.db,
  );
  if (waiting.rows.length === 0) return;
  await underLease({ deps, lease }, async (trx) => {
    await sql`
      update seen s set news_since = null from jsonb_to_recordset(${named}) as n(type text, id text)
      where s.connection = ${lease.connection} and s.resource_type = n.type and s.remote_id = n.id`.execute(trx);
  });
}

async function store({ deps, lease }: Run, planned: InboundPlan): Promise<void> {
  await underLease({ deps, lease }, async (trx) => {
    const offered: Change[] = [];
    const stored: PlannedChange[] = [];
    for (const change of planned.changes) {
      if (!(await storeInbound(trx, lease, change))) continue;
      stored.push(change);
      if (change.change !== undefined) offered.push(change.change);
      if (change.ask !== undefined) await openDecision(trx, lease, change.ask);
    }
    await offerChanges(trx, lease, offered);
    await closeObsolete(trx, lease, planned.answered);
    if (stored.some(({ row }) => row.type === 'hospitalStay')) await markClocks(trx, lease.subject);
  });
}
