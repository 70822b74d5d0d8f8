// A create that the server says to have stored on another host, and that is not found on this one: sending it again would store it there again
// (reliability row 67). A person is asked once, and nothing more is sent for it.

import type { Transaction } from 'kysely';
import { reason } from '../../errors.ts';
import type { Database } from '../../store/store.ts';
import { openDecision, resourceTopic } from '../decisions/decisions.ts';
import { nameOf, type ResourceKey } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';
import type { OperationRow } from '../send/operations.ts';

export function isSaidElsewhere({ reason: why }: Pick<OperationRow, 'reason'>): boolean {
  return why?.code === 'server-location-elsewhere';
}

export function askAboutElsewhere(
  trx: Transaction<Database>,
  lane: Pick<Lease, 'connection' | 'subject' | 'source'>,
  key: ResourceKey,
  resourceType: string,
): Promise<void> {
  return openDecision(trx, lane, {
    kind: 'stored-elsewhere',
    topic: resourceTopic('elsewhere', key),
    key,
    reason: reason('stored-elsewhere', { target: nameOf(key) }),
    detail: { resourceType },
    choices: [
      {
        choose: 'again',
        effect: 'The address of the connection has been mended: it is created on the server once more.',
      },
      { choose: 'leave', effect: 'Leave it where the server says that it is; nothing more is sent for it.' },
    ],
  });
}
