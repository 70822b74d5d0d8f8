// Who has looked at what: one row for each look at somebody's records, with ids only.

import type { Store } from '../store/store.ts';

export interface Look {
  /** `operator:night`. */
  readonly actor: string;
  readonly resourceType: string;
  /** `county/case-rosa`. */
  readonly resourceId: string;
  readonly requestId: string;
}

export async function noteLook({ db }: Store, { actor, resourceType, resourceId, requestId }: Look): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      actor,
      action: 'read',
      resource_type: resourceType,
      resource_id: resourceId,
      outcome: 'ok',
      request_id: requestId,
    })
    .execute();
}
