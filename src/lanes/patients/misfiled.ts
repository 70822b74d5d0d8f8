// What is in the wrong chart and cannot be taken back there: the server refuses it, or the type has no way to say so. A person is told, and
// the client's own chart gets its resource all the same (lanes.md 17).

import { reason } from '../../errors.ts';
import { openDecision, resourceTopic } from '../decisions/decisions.ts';
import type { Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import { underLease } from '../lease.ts';
import { updateLink } from '../links/links.ts';
import { chartOf } from './chart.ts';

/** Gives up what the server has just refused to retire. @returns the slots that were given up. */
export async function giveUpMisfiled(
  { deps, connection, lease }: Run,
  resources: readonly LaneResource[],
): Promise<readonly string[]> {
  if (connection.config.mode !== 'live') return [];
  const stuck = resources.filter(isStuck);
  if (stuck.length === 0) return [];
  await underLease({ deps, lease }, async (trx) => {
    for (const resource of stuck) {
      const { key, resourceType, link } = resource;
      await updateLink(trx, lease, resource, { retired: true });
      await openDecision(trx, lease, {
        kind: 'misfiled',
        topic: resourceTopic('misfiled', key),
        key,
        reason: reason('misfiled', { target: nameOf(key) }),
        detail: { resourceType, id: link?.remoteId ?? null, patient: chartOf(link?.sent) ?? null },
        choices: [
          { choose: 'done', effect: 'It has been dealt with on the server. Casebridge changes nothing there.' },
        ],
      });
    }
  });
  return stuck.map(({ key }) => nameOf(key));
}

function isStuck({ link, leave, parked, slot, route }: LaneResource): boolean {
  const isMoved = link?.retired === false && link.origin === 'created' && leave?.code === 'subject-moved';
  return isMoved && route.route === 'native' && (parked !== undefined || slot?.retire({}) === undefined);
}
