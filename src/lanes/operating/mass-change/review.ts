// Questions about what is in force no more end by themselves.

import { CasebridgeError } from '../../../errors.ts';
import { activeVersion } from '../../configuration/activate.ts';
import { configuredOtherwise, shapingOf } from '../../configuration/configuration.ts';
import { closeObsolete } from '../../decisions/decisions.ts';
import type { LaneDeps } from '../../lane-connection.ts';
import { closeAlert } from '../alerts.ts';
import { alertTopic, topicOf } from './ask.ts';
import { type CauseKey, causeIn } from './cause.ts';
import { shapeOf } from './lane-basis.ts';

/**
 * Ends the questions, with their alerts, about what is in force no more: a mapping or a configuration that was rolled back, an offer of the server that
 * was withdrawn. Should it come into force again, it is asked about anew.
 */
export async function reviewMassChanges(deps: LaneDeps): Promise<void> {
  const open = await deps.store.db
    .selectFrom('decision')
    .select(['connection', 'detail'])
    .where('kind', '=', 'mass-change')
    .where('state', '=', 'open')
    .execute();
  for (const { connection, detail } of open) {
    const key = causeIn(detail);
    if (key === undefined || !(await isOver(deps, connection, key))) continue;
    await deps.store.tx(async (trx) => {
      await closeObsolete(trx, { connection, subject: '' }, [topicOf(key)]);
      await closeAlert(trx, alertTopic(connection, key));
    });
  }
}

/** False where this process cannot tell. */
async function isOver(deps: LaneDeps, connection: string, { cause, value }: CauseKey): Promise<boolean> {
  if (cause === 'restored-server') return false;
  if (cause === 'mapping') return (await activeVersion(deps.store.db)) !== value;
  const lane = deps.connections.get(connection);
  if (lane === undefined || (await configuredOtherwise(deps.store, deps.connections)).has(connection)) return false;
  if (cause === 'configuration') return shapingOf(lane.config) !== value;
  try {
    return shapeOf(lane.config, await lane.abilities(await deps.mappings())).routes !== value;
  } catch (error) {
    // The server does not say what it offers.
    if (error instanceof CasebridgeError) return false;
    throw error;
  }
}
