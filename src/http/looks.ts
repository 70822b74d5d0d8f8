// Who looked at what records say: operators, on the console and by the API. A source sees its own.

import { keepAudit } from '../access/access.ts';
import type { OperatorConfig } from '../config.ts';
import type { Call } from './route.ts';

/** Of an operator on the console, who is no caller with a token. */
export function keepLook(
  { gateway, requestId }: Pick<Call, 'gateway' | 'requestId'>,
  operator: OperatorConfig,
  resourceType: string,
  id: string,
): Promise<void> {
  const by = { kind: 'operator', id: operator.name, requestId } as const;
  return keepAudit(gateway.store.db, { partner: null, by, action: 'read', resourceType, ids: [id], outcome: 'done' });
}

/** Of whoever calls with a token, as far as it is an operator. */
export async function keepCallersLook(call: Call, resourceType: string, id: string): Promise<void> {
  if (call.principal?.kind === 'operator') await keepLook(call, call.principal.operator, resourceType, id);
}
