// What an operator is shown of polling: how much asking takes of the rate, how long one round really takes, what is not asked for and why, and
// what could not be read.

import type { Reason } from '../../errors.ts';
import { type Store, sql } from '../../store/store.ts';
import type { LaneConnection } from '../lane-connection.ts';
import { notAskedCodes } from './poll-allowed.ts';
import { type PollCost, pollCost, pollEveryMs } from './poll-plan.ts';
import { type SubscriptionReport, subscriptionReport } from './subscribe.ts';

export interface PollReport extends PollCost {
  readonly tiers: readonly PollTier[];
  readonly notAsked: readonly { readonly resourceType: string; readonly reason: Reason }[];
  /** The newest first, at most 100. */
  readonly unreadable: readonly {
    readonly resourceType: string;
    readonly key: string;
    readonly reason: Reason;
    readonly since: string;
  }[];
  /** Those that Casebridge keeps on the server. */
  readonly subscriptions: readonly SubscriptionReport[];
}

export interface PollTier {
  readonly name: 'all patients' | 'open referral' | 'open case' | 'others';
  readonly patients: number;
  readonly polls: number;
  /** The shortest of its types, in seconds. */
  readonly everySeconds: number;
  /** Between two polls of the same, as it was of late for the slowest twentieth of them; null: not known yet. */
  readonly realSeconds: number | null;
  /** How many are overdue by more than their own time. */
  readonly late: number;
}

const names: readonly PollTier['name'][] = ['all patients', 'open referral', 'open case', 'others'];
const mostUnreadable = 100;

interface Row {
  readonly resource_type: string;
  readonly tier: number;
  readonly polls: number;
  readonly real_ms: number | null;
}

export async function pollReport(store: Store, { config, vendor }: LaneConnection): Promise<PollReport> {
  const { rows } = await sql<Row>`
    select resource_type, tier, count(*)::integer as polls,
      percentile_disc(0.95) within group (order by last_ms) as real_ms
    from poll where connection = ${config.id} and resource_type not in ('Group', 'List', 'Subscription')
      and (reason is null or reason ->> 'code' not in (${sql.join(notAskedCodes)}))
    group by 1, 2 order by 2, 1`.execute(store.db);
  const { rows: patients } = await sql<{ tier: number; n: number }>`
    select tier, count(distinct about)::integer as n from poll where connection = ${config.id} and tier > 0 group by 1`.execute(
    store.db,
  );
  const every = ({ resource_type, tier }: Row) => pollEveryMs(config, vendor, resource_type, tier);
  const late = await Promise.all(
    rows.map(async (row) => ({ tier: row.tier, n: await countLate(store, config.id, row, every(row)) })),
  );
  return {
    ...pollCost(
      config,
      vendor,
      rows.map(({ resource_type: resourceType, tier, polls: count }) => ({ resourceType, tier, count })),
    ),
    tiers: names.flatMap((name, tier) => {
      const own = rows.filter((row) => row.tier === tier);
      if (own.length === 0) return [];
      const real = own.flatMap(({ real_ms }) => real_ms ?? []);
      return [
        {
          name,
          patients: patients.find((row) => row.tier === tier)?.n ?? 0,
          polls: own.reduce((sum, { polls }) => sum + polls, 0),
          everySeconds: Math.min(...own.map(every)) / 1000,
          realSeconds: real.length === 0 ? null : Math.round(Math.max(...real) / 1000),
          late: late.filter((row) => row.tier === tier).reduce((sum, { n }) => sum + n, 0),
        },
      ];
    }),
    notAsked: await notAsked(store, config.id),
    unreadable: await unreadable(store, config.id),
    subscriptions: await subscriptionReport(store, config.id),
  };
}

async function countLate({ db }: Store, connection: string, row: Row, everyMs: number): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from poll where connection = ${connection} and resource_type = ${row.resource_type}
      and tier = ${row.tier} and next_at < now() - ${everyMs}::float8 * interval '1 millisecond'`.execute(db);
  return rows[0]?.n ?? 0;
}

async function notAsked({ db }: Store, connection: string): Promise<PollReport['notAsked']> {
  const { rows } = await sql<{ resource_type: string; reason: Reason }>`
    select distinct on (resource_type) resource_type, reason from poll where connection = ${connection}
      and reason ->> 'code' in (${sql.join(notAskedCodes)})
    order by resource_type, tier desc`.execute(db);
  return rows.map(({ resource_type: resourceType, reason }) => ({ resourceType, reason }));
}

async function unreadable({ db }: Store, connection: string): Promise<PollReport['unreadable']> {
  const rows = await db
    .selectFrom('poll_unreadable')
    .selectAll()
    .where('connection', '=', connection)
    .orderBy('first_at', 'desc')
    .limit(mostUnreadable)
    .execute();
  return rows.map(({ resource_type: resourceType, key, reason, first_at }) => ({
    resourceType,
    key,
    reason,
    since: first_at.toISOString(),
  }));
}
