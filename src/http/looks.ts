// What operators did, and whose data they looked at: on the console and by the API. A source sees its own.

import { keepAudit } from '../access/access.ts';
import type { OperatorConfig } from '../config.ts';
import type { Call, Route } from './route.ts';

type Asked = Pick<Call, 'gateway' | 'requestId'>;

interface Seen {
  readonly resourceType: string;
  readonly ids: readonly string[];
}

/** Of an operator on the console, who is no caller with a token. */
export function keepLook(call: Asked, operator: OperatorConfig, resourceType: string, id: string): Promise<void> {
  return keep(call, operator.name, 'read', { resourceType, ids: [id] });
}

/** Of whoever calls with a token, as far as it is an operator. */
export async function keepCallersLook(call: Call, resourceType: string, id: string): Promise<void> {
  if (call.principal?.kind === 'operator') await keepLook(call, call.principal.operator, resourceType, id);
}

/** The same of a list that shows what records say: what was on the page, and of an empty one nothing. */
export async function keepCallersLooks(
  call: Call,
  seen: readonly (readonly [type: string, id: string])[],
): Promise<void> {
  if (call.principal?.kind !== 'operator') return;
  for (const [resourceType, rows] of Map.groupBy(seen, ([type]) => type)) {
    const ids = [...new Set(rows.map(([, id]) => id))];
    await keep(call, call.principal.name, 'read', { resourceType, ids });
  }
}

/** That an operator has decided on the console. */
export function keepDecision(call: Asked, operator: OperatorConfig, id: string): Promise<void> {
  return keep(call, operator.name, 'decide', { resourceType: 'decision', ids: [id] });
}

/** What a caller with a token has done by a route, as far as it is an operator; of what was only to be planned, nothing was done. */
export async function keepAct(call: Call, { act }: Route, answered: object | undefined): Promise<void> {
  if (act === undefined || call.principal?.kind !== 'operator' || call.query.dryRun === 'true') return;
  const made = answered !== undefined && 'id' in answered ? String(answered.id) : '';
  const id = act.id?.(call) ?? (Object.values(call.path).join('/') || made);
  await keep(call, call.principal.name, act.action, { resourceType: act.on, ids: [id] });
}

/** Signing in on the console and out of it. @param outcome `done`, or the code of what stood in the way */
export function keepSessionAct(
  { gateway, requestId }: Asked,
  id: string,
  action: 'sign-in' | 'sign-out',
  outcome = 'done',
): Promise<void> {
  const by = { kind: 'operator', id, requestId } as const;
  return keepAudit(gateway.store.db, { partner: null, by, action, resourceType: 'session', ids: [], outcome });
}

function keep({ gateway, requestId }: Asked, name: string, action: string, seen: Seen): Promise<void> {
  const by = { kind: 'operator', id: name, requestId } as const;
  return keepAudit(gateway.store.db, { partner: null, by, action, ...seen, outcome: 'done' });
}
