// Which writes of a plan are changes by a cause: none that its records, a consent or a withdrawal ask for.

import { isDirectoryType } from '../../../access/access.ts';
import type { Reason } from '../../../errors.ts';
import { textsAt } from '../../../json.ts';
import { documentSlot } from '../../documents/document.ts';
import { type LaneResource, nameOf, type ResourceKey } from '../../lane-resource.ts';
import type { LaneState } from '../../load/load.ts';
import type { Operation, Write } from '../../plan.ts';
import type { Cause } from './cause.ts';

export function changesIn(
  operations: readonly Operation[],
  state: LaneState,
  since: number,
  { cause }: Cause,
): readonly Write[] {
  const { known } = state;
  const accepted = (type: string, id: string) =>
    known.own.find((row) => row.type === type && row.id === id)?.accepted_at.getTime() ?? 0;
  return operations.filter((operation): operation is Write => {
    if (!('body' in operation)) return false;
    const { resource, edition } = operation;
    if (edition !== undefined)
      return (
        isRewritten(resource.key, cause) &&
        edition.number > 1 &&
        known.own.every((row) => row.accepted_at.getTime() <= since)
      );
    if (operation.kind === 'create' && resource.nextGeneration === 1) return false;
    if (operation.kind === 'retire' && isOwnCause(resource.leave?.code, cause)) return false;
    if (isTakenOut(resource, state, since)) return false;
    const link = known.links.findLast((row) => nameOf(row) === nameOf(resource.key));
    return link?.record_version === resource.recordVersion && accepted(resource.key.type, resource.key.id) <= since;
  });
}

/** Whether a label may have come to count for the lane: something that it read is labelled, and something by which labels count (`labels.ts`) has changed. */
export function isRelabelled({ known }: LaneState, since: number): boolean {
  const above = known.rows.filter(({ type }) => type === 'client' || type === 'case' || isDirectoryType(type));
  return (
    above.some(({ content }) => textsAt(content, 'sensitivity').length > 0) &&
    above.some(({ accepted_at: at }) => at.getTime() > since)
  );
}

/** Whether it points at what has been withdrawn since, or entered in error, and may say of it what it said. */
function isTakenOut({ desired }: LaneResource, { known }: LaneState, since: number): boolean {
  const lost = known.rows.filter(
    ({ accepted_at: at, deleted, content }) =>
      at.getTime() > since && (deleted || content.status === 'entered-in-error'),
  );
  return (
    desired?.references.some(({ target }) => lost.some(({ type, id }) => type === target.type && id === target.id)) ===
    true
  );
}

/** The document of a case is made from its records, not by a mapping; a document of its own is made by one. */
function isRewritten({ slot }: ResourceKey, cause: Cause['cause']): boolean {
  return slot !== documentSlot || cause !== 'mapping';
}

/** A source's deletion, a move, a client's withdrawal. */
function isOwnCause(code: Reason['code'] | undefined, cause: Cause['cause']): boolean {
  if (code === 'condition-false') return false;
  return code !== 'consent-withdrawn' || cause !== 'configuration';
}
