// The request budget of a connection in the store, where all processes share it (lanes.md 4). The rule is pure (connections/budget.ts): a
// change is worked out from the row as it is and made if it is still so. That way the row is locked for one statement only, and a process that
// is frozen in between holds nobody up. Times are the database's.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import {
  afterProbed,
  afterToken,
  type Budget,
  type BudgetLimits,
  type BudgetState,
  claimProbing,
  claimToken,
  failingReason,
  type Rest,
  reserveRest,
  restOf,
  settle,
  unspent,
  type Verdict,
} from '../../connections/connections.ts';
import type { Reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { type Database, json, type Store } from '../../store/store.ts';
import type { LaneDeps } from '../lane-connection.ts';
import { closeAlert, dayUsed, openAlert } from '../operating/alerts.ts';
import { stateFromJson, stateToJson } from './budget-json.ts';

type Configured = Pick<ConnectionConfig, 'id' | 'rateLimit'>;

/** @param holder names this process among those that share the connection */
export function sharedBudget(
  store: Store,
  { id, rateLimit }: Configured,
  holder: string,
  random: () => number,
): Budget {
  return {
    settle: (report) =>
      change(store, id, rateLimit, random, (state, now) => {
        const settled = settle(state, rateLimit, { ...report, holder }, now, random());
        return { state: settled.state, result: settled.grant };
      }),
    claimToken: () =>
      change(store, id, rateLimit, random, (before, now) => {
        const { state, claim } = claimToken(before, holder, now);
        return { state, result: claim };
      }),
    afterToken: (refusal) =>
      change(store, id, rateLimit, random, (before, now) => ({
        state: afterToken(before, holder, refusal, now),
        result: undefined,
      })),
  };
}

/** The embedded store has one process: what another one held before this start is free. */
export async function freeDeadShares(store: Store): Promise<void> {
  if (store.kind !== 'embedded') return;
  await store.db
    .updateTable('budget')
    .set({ version: sql<number>`version + 1`, state: sql`state - 'places'` })
    .execute();
}

/** For a query on `connection`: until when its server is not asked for a token again; null where it has not refused us one. */
export const tokenRefusedUntil = sql<Date | null>`(
  select to_timestamp((state -> 'token' ->> 'until')::float8 / 1000) from budget
  where budget.connection = connection.id and state -> 'token' ? 'refused')`;

/** What refused us may have been mended: the next who wants a token may ask. */
export async function forgetTokenRefusal(db: Kysely<Database>, connection: string): Promise<void> {
  await db
    .updateTable('budget')
    .set({ version: sql<number>`version + 1`, state: sql`state - 'token'` })
    .where(sql<boolean>`state -> 'token' ? 'refused'`)
    .where('connection', '=', connection)
    .execute();
}

/** What a server that was left alone answers when it is asked whether it is well. */
export type BreakerProbe = (connection: string) => Promise<Verdict>;

/**
 * Asks the servers that were left alone and whose time has come, each by one request of one process. Where one answers, its lanes are due again.
 * @returns how many are well
 */
export async function probeFailing(
  deps: Pick<LaneDeps, 'store' | 'log' | 'connections' | 'random'>,
  probe: BreakerProbe,
): Promise<number> {
  const { store, log, connections, random } = deps;
  let well = 0;
  for (const { config } of await failingNow(store, connections)) {
    const claimed = await change(store, config.id, config.rateLimit, random, (state, now) => {
      const claim = claimProbing(state, config.rateLimit, now);
      return { state: claim ?? state, result: claim !== undefined };
    });
    if (!claimed) continue;
    const verdict = await probe(config.id);
    const isClosed = await change(store, config.id, config.rateLimit, random, (state, now) => {
      const probed = afterProbed(state, verdict, now, random());
      return { state: probed, result: probed.breaker.openUntil === undefined };
    });
    if (!isClosed) continue;
    well += 1;
    log.info({ connection: config.id }, 'the server answers again');
    const tried = sql`
      update lane l set next_try_at = null
      from (select subject from lane where connection = ${config.id} and next_try_at is not null order by subject for update) as k
      where l.connection = ${config.id} and l.subject = k.subject`;
    await store.once((db) => tried.execute(db));
  }
  return well;
}

/** A connection that somebody paused is not asked either. */
async function failingNow(store: Store, connections: LaneDeps['connections']) {
  const rows = await store.db
    .selectFrom('budget')
    .innerJoin('connection', 'connection.id', 'budget.connection')
    .select('budget.connection')
    .where('failing', '=', true)
    .where('rest_until', '<=', sql<Date>`now()`)
    .where('connection.paused', 'is', null)
    .execute();
  return rows.flatMap(({ connection }) => connections.get(connection) ?? []);
}

/** Makes a change of the row; worked out again where another process was faster. */
async function change<T>(
  store: Store,
  connection: string,
  limits: BudgetLimits,
  random: () => number,
  work: (state: BudgetState, now: number) => { readonly state: BudgetState; readonly result: T },
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const row = await readRow(store, connection);
    const { state, result } = work(stateFromJson(row.state), row.now);
    if (await writeRow(store, connection, row, shown(state, limits, row.now))) return result;
    // Two that met once do not meet again.
    await sleep(random() * Math.min(tries, 10));
  }
}

interface Row {
  readonly version: number;
  readonly state: JsonObject;
  readonly told: readonly string[];
  /** Epoch ms. */
  readonly now: number;
}

async function readRow({ db }: Store, connection: string): Promise<Row> {
  for (;;) {
    const row = await db
      .selectFrom('budget')
      .select(['version', 'state', 'told'])
      .select(sql<number>`extract(epoch from clock_timestamp())::float8 * 1000`.as('now'))
      .where('connection', '=', connection)
      .executeTakeFirst();
    if (row !== undefined) return row;
    await db
      .insertInto('budget')
      .values({ connection, state: json(stateToJson(unspent)), told: json([]) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

interface Shown {
  readonly state: BudgetState;
  readonly rest: Rest | undefined;
  readonly urgent: Rest | undefined;
  /** What an operator is to be told of, by name. */
  readonly alerts: ReadonlyMap<string, Reason>;
}

function shown(state: BudgetState, limits: BudgetLimits, now: number): Shown {
  const rest = restOf(state, limits, now);
  const urgent = reserveRest(state, limits, now);
  // A server that answers one question and fails at the next work is one event, told until it works.
  const alerts = new Map<string, Reason>();
  if (state.breaker.openings > 0) alerts.set('connection-failing', failingReason(state.breaker));
  if (urgent !== undefined) alerts.set(dayUsed, urgent.reason);
  return { state, rest, urgent, alerts };
}

/** @returns false when the row is not any more what it was */
async function writeRow(store: Store, connection: string, { version, told }: Row, next: Shown): Promise<boolean> {
  const { state, rest, urgent } = next;
  const why = (rest ?? urgent)?.reason;
  const write = async (db: Kysely<Database>): Promise<boolean> => {
    const { numUpdatedRows } = await db
      .updateTable('budget')
      .set({
        version: version + 1,
        state: json(stateToJson(state)),
        rest_until: rest === undefined ? null : new Date(rest.until),
        failing: state.breaker.openUntil !== undefined,
        urgent_until: urgent === undefined ? null : new Date(urgent.until),
        reason: why === undefined ? null : json(why),
        told: json([...next.alerts.keys()]),
      })
      .where('connection', '=', connection)
      .where('version', '=', version)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  };
  const isSame = told.length === next.alerts.size && told.every((name) => next.alerts.has(name));
  if (isSame) return write(store.db);
  return store.tx(async (trx) => {
    if (!(await write(trx))) return false;
    const topic = (name: string) => `${name}:${connection}`;
    for (const name of told) if (!next.alerts.has(name)) await closeAlert(trx, topic(name));
    for (const [name, reason] of next.alerts) {
      if (!told.includes(name)) await openAlert(trx, { topic: topic(name), connection, reason });
    }
    return true;
  });
}
