// The one question about all that a cause changes on a connection, and its alert.

import type { Reason } from '../../../errors.ts';
import type { JsonObject } from '../../../json.ts';
import type { Database, Transaction } from '../../../store/store.ts';
import { openDecision } from '../../decisions/decisions.ts';
import { nameOf } from '../../lane-resource.ts';
import type { Write } from '../../plan.ts';
import { openAlert } from '../alerts.ts';
import { diffOf } from '../dry-run.ts';
import type { Cause, CauseKey } from './cause.ts';
import { massLimit } from './counts.ts';

const sampleSize = 5;

export async function ask(
  trx: Transaction<Database>,
  connection: string,
  { cause, value }: Cause,
  counts: { readonly links: number; readonly let_through: number; readonly held: number },
  why: Reason,
  changes: readonly Write[],
): Promise<void> {
  const sample = changes.slice(0, sampleSize).map(
    (operation): JsonObject => ({
      resource: nameOf(operation.resource.key),
      kind: operation.kind,
      ...diffOf(operation),
    }),
  );
  const limit = massLimit(counts.links);
  await openDecision(
    trx,
    { connection, subject: '', source: '' },
    {
      kind: 'mass-change',
      topic: topicOf({ cause, value }),
      reason: why,
      detail: { cause, value, links: counts.links, limit, sent: counts.let_through, held: counts.held, sample },
      choices: [
        {
          choose: 'go-on',
          effect: `Send the ${counts.held} changes held so far, and whatever else this cause changes.`,
        },
        {
          choose: 'stop',
          effect: 'Send none of them. A resource goes out again when its record changes; other work is not touched.',
        },
      ],
    },
  );
  await openAlert(trx, { topic: alertTopic(connection, { cause, value }), connection, reason: why });
}

export function topicOf({ cause, value }: CauseKey): string {
  return `mass-change:${cause}:${value}`;
}

export function alertTopic(connection: string, cause: CauseKey): string {
  return `${topicOf(cause)}:${connection}`;
}
