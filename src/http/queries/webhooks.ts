// How the webhooks of sources do.

import { CasebridgeError } from '../../errors.ts';
import { sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';
import type { GatewayApi } from '../gateway-api.ts';

type Gateway = Pick<GatewayApi, 'store' | 'config'>;

/** `{items, next}` by source: of all sources that have one, or of one source. */
export async function listWebhooks(
  gateway: Gateway,
  filter: { readonly source?: string; readonly limit: number; readonly after?: string },
): Promise<Page> {
  const [after] = cursorKey('webhooks', filter.after, [''] as const) ?? [''];
  const views = await webhooks(gateway, filter.source);
  return page(
    views.filter(({ source }) => source > after).sort((one, other) => (one.source < other.source ? -1 : 1)),
    filter.limit,
    (view) => view,
    ({ source }) => cursorText('webhooks', [source]),
  );
}

async function webhooks({ store, config }: Gateway, source?: string) {
  const configured = [...config.sources.values()].filter(
    ({ id, webhook }) => webhook !== undefined && id === (source ?? id),
  );
  const rows = await store.db
    .selectFrom('webhook')
    .selectAll('webhook')
    .select(sql<boolean>`coalesce(rest_until > now(), false)`.as('rests'))
    .select(({ selectFrom }) => [
      selectFrom('delivery')
        .whereRef('delivery.source', '=', 'webhook.source')
        .select(({ fn }) => fn.countAll().as('count'))
        .as('undelivered'),
      selectFrom('delivery')
        .whereRef('delivery.source', '=', 'webhook.source')
        .select(({ fn }) => fn.min('since').as('since'))
        .as('oldest'),
    ])
    .execute();
  return configured.map(({ id }) => {
    const row = rows.find((one) => one.source === id);
    return {
      source: id,
      state: row === undefined ? 'active' : stateOf(row),
      undelivered: Number(row?.undelivered ?? 0),
      oldestSince: row?.oldest?.toISOString() ?? null,
      failures: row?.failures ?? 0,
      failingSince: row?.failing_since?.toISOString() ?? null,
      restsUntil: row?.rests === true ? (row.rest_until?.toISOString() ?? null) : null,
      reason: row?.disabled ?? row?.reason ?? null,
      deliveredAt: row?.delivered_at?.toISOString() ?? null,
    };
  });
}

/** @throws CasebridgeError `webhook-unknown` */
export async function webhookView(gateway: Gateway, source: string): Promise<object> {
  const [view] = await webhooks(gateway, source);
  if (view === undefined) throw new CasebridgeError('webhook-unknown', { source });
  return view;
}

function stateOf(row: { readonly disabled: object | null; readonly failures: number }): string {
  if (row.disabled !== null) return 'disabled';
  return row.failures === 0 ? 'active' : 'failing';
}
