// What Prometheus may ask: counts and ages, never content. Labels are ids of configuration and fixed words only.

import { sql } from 'kysely';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { RequestSeen } from './connections/connections.ts';
import { restingConnections, unknownOutcomes } from './lanes/lanes.ts';
import type { Store } from './store/store.ts';

export interface Metrics {
  readonly registry: Registry;
  readonly records: Counter<'source' | 'outcome'>;
  readonly runs: Counter<'connection' | 'outcome'>;
  readonly requestSeen: (seen: RequestSeen) => void;
  readonly deliveries: Counter<'source' | 'outcome'>;
  readonly partnerRequests: Counter<'route' | 'outcome'>;
}

/** The metrics of one process; the gauges read the store when they are asked for. */
export function createMetrics(store: Store): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const shared = { registers: [registry] };
  const requests = new Counter({
    ...shared,
    name: 'casebridge_requests_total',
    help: 'Requests to FHIR servers by connection, method and status class.',
    labelNames: ['connection', 'method', 'status'] as const,
  });
  new Gauge({
    ...shared,
    name: 'casebridge_lanes_due',
    help: 'Lanes that have work, by connection.',
    labelNames: ['connection'] as const,
    async collect() {
      this.reset();
      for (const { connection, due } of await dueLanes(store)) this.set({ connection }, due);
    },
  });
  new Gauge({
    ...shared,
    name: 'casebridge_oldest_due_lane_seconds',
    help: 'How long the lane that has waited longest has had work, by connection.',
    labelNames: ['connection'] as const,
    async collect() {
      this.reset();
      for (const { connection, oldest } of await dueLanes(store)) this.set({ connection }, oldest);
    },
  });
  new Gauge({
    ...shared,
    name: 'casebridge_connection_resting',
    help: '1 while nothing is sent to a connection, or only what is urgent, by connection and the code of the reason.',
    labelNames: ['connection', 'reason'] as const,
    async collect() {
      this.reset();
      for (const [connection, { reason }] of await restingConnections(store.db))
        this.set({ connection, reason: reason.code }, 1);
      for (const { connection, code } of await pausedConnections(store)) this.set({ connection, reason: code }, 1);
    },
  });
  new Gauge({
    ...shared,
    name: 'casebridge_unknown_outcomes',
    help: 'Requests of which it is not known what came, by connection.',
    labelNames: ['connection'] as const,
    async collect() {
      this.reset();
      for (const { connection, count } of await unknownOutcomes(store.db)) this.set({ connection }, count);
    },
  });
  new Gauge({
    ...shared,
    name: 'casebridge_oldest_unknown_outcome_seconds',
    help: 'How long ago the oldest of them was sent, by connection.',
    labelNames: ['connection'] as const,
    async collect() {
      this.reset();
      for (const { connection, oldestSeconds } of await unknownOutcomes(store.db))
        this.set({ connection }, oldestSeconds);
    },
  });
  new Gauge({
    ...shared,
    name: 'casebridge_webhook_undelivered',
    help: 'Changes that the webhook of a source has not taken yet.',
    labelNames: ['source'] as const,
    async collect() {
      this.reset();
      for (const { source, count } of await undelivered(store)) this.set({ source }, count);
    },
  });
  new Gauge({
    ...shared,
    name: 'casebridge_webhook_oldest_undelivered_seconds',
    help: 'How long the oldest of them has waited.',
    labelNames: ['source'] as const,
    async collect() {
      this.reset();
      for (const { source, oldest } of await undelivered(store)) this.set({ source }, oldest);
    },
  });
  return {
    registry,
    deliveries: new Counter({
      ...shared,
      name: 'casebridge_webhook_deliveries_total',
      help: 'Changes posted to webhooks by source and outcome: the status class, or the kind of fault.',
      labelNames: ['source', 'outcome'] as const,
    }),
    partnerRequests: new Counter({
      ...shared,
      name: 'casebridge_partner_requests_total',
      help: 'Requests of partners to /fhir/R4, /oauth/token and the partner page by route and status class; cut: the caller left before the end.',
      labelNames: ['route', 'outcome'] as const,
    }),
    records: new Counter({
      ...shared,
      name: 'casebridge_records_total',
      help: 'Records by source and outcome.',
      labelNames: ['source', 'outcome'] as const,
    }),
    runs: new Counter({
      ...shared,
      name: 'casebridge_lane_runs_total',
      help: 'Lane runs by connection and outcome.',
      labelNames: ['connection', 'outcome'] as const,
    }),
    requestSeen: ({ connection, method, statusClass }) => requests.inc({ connection, method, status: statusClass }),
  };
}

/** Of every connection, also where nothing is due: an alarm tells no work from no answer. */
async function dueLanes(store: Store): Promise<{ connection: string; due: number; oldest: number }[]> {
  const { rows } = await sql<{ connection: string; due: number; oldest: number }>`
    select connection, count(*)::integer as due, coalesce(extract(epoch from now() - min(due_at)), 0)::float8 as oldest
    from lane where done < wanted group by connection
    union all
    select id, 0, 0 from connection where not exists (select from lane where connection = id and done < wanted)`.execute(
    store.db,
  );
  return rows;
}

async function pausedConnections(store: Store): Promise<{ connection: string; code: string }[]> {
  const { rows } = await sql<{ connection: string; code: string }>`
    select id as connection, paused ->> 'code' as code from connection where paused is not null and off_since is null`.execute(
    store.db,
  );
  return rows;
}

async function undelivered(store: Store): Promise<{ source: string; count: number; oldest: number }[]> {
  const { rows } = await sql<{ source: string; count: number; oldest: number }>`
    select w.source, count(d.cursor)::integer as count, coalesce(extract(epoch from now() - min(d.since)), 0)::float8 as oldest
    from webhook w left join delivery d on d.source = w.source group by w.source`.execute(store.db);
  return rows;
}
