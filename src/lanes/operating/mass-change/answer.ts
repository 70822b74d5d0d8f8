// What the answer about a mass change does.

import { CasebridgeError } from '../../../errors.ts';
import type { Database, Transaction } from '../../../store/store.ts';
import { activeVersion } from '../../configuration/activate.ts';
import type { Answered } from '../../decisions/decisions.ts';
import { raiseWanted } from '../../links/wanted.ts';
import { closeAlert } from '../alerts.ts';
import { alertTopic } from './ask.ts';
import { type CauseKey, causeIn } from './cause.ts';
import { changeCount, isRow } from './counts.ts';

/**
 * `go-on` and `stop`: all lanes of which something is held look again.
 * @throws CasebridgeError `decision-outdated`: another mapping is active by now
 */
export async function settleMassChange(
  trx: Transaction<Database>,
  { id, connection, detail, choice }: Answered,
): Promise<CauseKey | undefined> {
  const key = causeIn(detail);
  if (key === undefined) return undefined;
  if (key.cause === 'mapping' && (await activeVersion(trx)) !== key.value)
    throw new CasebridgeError('decision-outdated', { id });
  await changeCount(trx, connection, key, { state: choice });
  await closeAlert(trx, alertTopic(connection, key));
  const lanes = await trx
    .selectFrom('mass_change_link')
    .select(['connection', 'subject'])
    .distinct()
    .where(isRow(connection, key, 'mass_change_link'))
    .where('held', '=', true)
    .execute();
  await raiseWanted(trx, lanes, { priority: 90 });
  return key;
}
