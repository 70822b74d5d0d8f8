// Brings due lanes from the store to the queue, a few at a time (lanes.md 3). The store knows what is due; if the queue loses a job, the
// claim runs out and the lane is fed again. A connection never gets more than its own free slots, so a hanging one holds only itself.

import { sql } from 'kysely';
import { json, type Store } from '../store/store.ts';
import { isConfiguredOtherwise } from './configuration/configuration.ts';
import type { LaneKey } from './lease.ts';

export interface FeederDeps {
  readonly store: Store;
  readonly connections: () => readonly FedConnection[];
  readonly add: (lanes: LaneKey[]) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** A claimed lane whose job was lost is fed again after this many milliseconds. @default 30000 */
  readonly claimMs?: number;
}

/** A connection that may run. */
export interface FedConnection {
  readonly id: string;
  /** As this process has it: while another one is in force, it gets nothing. */
  readonly configuration: string;
  /** How many of its lanes may be under way at once. */
  readonly slots: number;
}

const defaultClaimMs = 30_000;
/** How often the store is asked even if nobody kicks: retries, late looks, causes raised by other processes. */
const tickMs = 1_000;
/** A due lane that waited this long goes before everything that is not urgent. */
const agedMs = 5 * 60_000;
/** Of so many lanes of a connection one is that which has waited longest, if it has aged: urgent work without end starves nothing. */
const turnOfAged = 4;
/**
 * Lanes that go before everything else, and still run when what is left of the day's requests is kept for what is urgent
 * (`want-lanes.ts`).
 */
const urgentPriority = 10;

export interface Feeder {
  /** Something became due: look now. Cheap to call often. */
  kick(): void;
  /** Epoch milliseconds of the last completed pass; for readiness. */
  lastPassAt(): number | undefined;
  stop(): Promise<void>;
}

export function startFeeder(deps: FeederDeps, clock: () => number): Feeder {
  let wanted = true;
  /** Looks that were put off are asked for once a tick; a kick says only that a slot is free or a lane due. */
  let looks = true;
  let stopped = false;
  let lastPassAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  const given: Given = new Map();

  const passes = async (): Promise<void> => {
    while (wanted && !stopped) {
      wanted = false;
      try {
        const pass = looks ? feed : claimAll;
        looks = false;
        await pass(deps, given);
        lastPassAt = clock();
      } catch (error) {
        deps.onError(error);
        break;
      }
    }
  };
  const kick = (): void => {
    wanted = true;
    if (stopped || running !== undefined) return;
    running = passes().finally(() => {
      running = undefined;
      if (wanted && !stopped) timer ??= schedule(0);
    });
  };
  const schedule = (ms: number): NodeJS.Timeout =>
    setTimeout(() => {
      timer = undefined;
      kick();
    }, ms);
  const ticker = setInterval(() => {
    looks = true;
    kick();
  }, tickMs);
  kick();
  return {
    kick,
    lastPassAt: () => lastPassAt,
    stop: async () => {
      stopped = true;
      clearInterval(ticker);
      clearTimeout(timer);
      await running;
    },
  };
}

/** How many lanes of each connection were handed out so far. */
type Given = Map<string, number>;

/** One pass over all connections. @param given is counted on; a single pass needs none */
export async function feed(deps: FeederDeps, given: Given = new Map()): Promise<void> {
  await wantLooks(deps.store);
  await claimAll(deps, given);
}

async function claimAll(deps: FeederDeps, given: Given): Promise<void> {
  for (const connection of deps.connections()) {
    const before = given.get(connection.id) ?? 0;
    const claimed = await claim(deps, connection, before);
    given.set(connection.id, before + claimed.length);
    if (claimed.length > 0) await deps.add(claimed);
  }
}

/**
 * A look that was put off (late check, quiet period) becomes a cause when its time has come. What has work already stays due since when it
 * was: else a drain would wait for ever for what it does not take, and nothing that is looked at again and again would age.
 */
async function wantLooks(store: Store): Promise<void> {
  await sql`
    update lane set wanted = wanted + 1, next_look_at = null,
      due_at = case when done < wanted then due_at else now() end
    where (connection, subject) in (
      select connection, subject from lane where next_look_at is not null and next_look_at <= now() limit 1000 for update skip locked)`.execute(
    store.db,
  );
}

/** Has work, may be tried, nobody is at it, and no person has stopped it. */
const isFree = sql`done < wanted and stopped is null and (next_try_at is null or next_try_at <= now())
  and (lease_until is null or lease_until < now()) and (queued_until is null or queued_until < now())`;

/** @param given how many lanes of the connection were handed out before */
async function claim(
  { store, claimMs = defaultClaimMs }: FeederDeps,
  { id: connection, configuration, slots }: FedConnection,
  given: number,
): Promise<LaneKey[]> {
  const { rows } = await sql<LaneKey>`
    with busy as (
      select count(*)::integer as n from lane
      where connection = ${connection} and (lease_until is not null or queued_until is not null)
        and (lease_until > now() or queued_until > now())
    ), open as (
      -- Always a row: a limit of null would be none.
      select case when exists (select 1 from connection c where c.id = ${connection} and c.paused is not null)
          or ${isConfiguredOtherwise(connection, configuration)}
          or exists (select 1 from budget b where b.connection = ${connection} and (b.failing or b.rest_until > now())) then 0
        else greatest(${slots}::integer - n, 0) end as slots,
        exists (select 1 from budget b where b.connection = ${connection} and b.urgent_until > now()) as urgent_only,
        -- A connection that is drained takes nothing that became due since.
        coalesce((select c.draining_since from connection c where c.id = ${connection}), 'infinity') as until
      from busy
    ), candidate as (
      -- Aged: before new work of its kind, and the oldest, where it is their turn, before all.
      select subject, case
          when priority <= ${urgentPriority} or row_number() over (order by due_at) <= (select (${given % turnOfAged} + slots) / ${turnOfAged} from open)
          then -1 else ${urgentPriority} + 0.5 end as rank, due_at
      from (select subject, priority, due_at from lane where connection = ${connection} and ${isFree}
        and (priority <= ${urgentPriority} or not (select urgent_only from open)) and due_at <= (select until from open)
        and due_at < now() - ${agedMs} * interval '1 millisecond' order by due_at limit (select slots from open)) aged
      union all
      -- With the limit written out and the time kept from the index, the index that has the order is taken also where there are no statistics yet.
      (select subject, priority, due_at from lane where connection = ${connection} and ${isFree}
        and (priority <= ${urgentPriority} or not (select urgent_only from open)) and (due_at <= (select until from open)) is true
        and (select slots from open) > 0 order by priority, due_at limit ${sql.lit(slots)})
    ), due as (
      select l.connection, l.subject from lane l
      where l.connection = ${connection} and ${isFree}
        and l.subject in (
          select subject from candidate group by subject order by min(rank), min(due_at) limit (select slots from open))
      for update of l skip locked
    )
    update lane set queued_until = now() + ${claimMs} * interval '1 millisecond'
    from due where lane.connection = due.connection and lane.subject = due.subject
    returning lane.connection, lane.subject`.execute(store.db);
  return rows;
}

/** Wants every lane of these connections, reading each linked resource again: the check that a second pass writes nothing. */
export async function wantAll(store: Store, connections: readonly string[]): Promise<number> {
  const raised = sql<{ n: number }>`
    with raised as (
      update lane set wanted = wanted + 1, reread = true, due_at = now(), next_try_at = null
      where connection in (select c.id from jsonb_to_recordset(${json(connections.map((id) => ({ id })))}) as c(id text))
      returning 1)
    select count(*)::integer as n from raised`;
  const { rows } = await store.once((db) => raised.execute(db));
  return rows[0]?.n ?? 0;
}
