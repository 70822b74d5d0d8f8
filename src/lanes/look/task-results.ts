// Reads the Procedures that a completed Task of the other side names, before the source is told that it was completed (closed-loop B4).

import { parseReference } from '../../fhir/fhir.ts';
import { isOutcomeUnknown, resultsNamedBy, type TaskObservation } from '../../referrals/referrals.ts';
import { type Looks, lookThere } from '../inbound/look.ts';
import type { Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { Failure } from './search-failure.ts';

export type TaskResults = NonNullable<TaskObservation['results']>;
/** By the name of the resource that the Task is. */
export type ResultsByTask = ReadonlyMap<string, TaskResults>;

/** More than a Task sensibly names; of what is beyond, the Task's word stands. */
const mostResults = 20;

/**
 * Those of Tasks that were seen completed and not been told of yet, and of those that were completed with nothing named. A lane without any asks the
 * server for nothing.
 */
export async function readResults(
  run: Run,
  resources: readonly LaneResource[],
): Promise<{ readonly kind: 'read'; readonly byTask: ResultsByTask } | Failure> {
  const byTask = new Map<string, TaskResults>();
  for (const resource of resources) {
    const { observed } = resource;
    if (observed === undefined || !isToRead(resource)) continue;
    const looks: Looks = new Map();
    const results: TaskResults[number][] = [];
    for (const reference of resultsNamedBy(observed.body).slice(0, mostResults)) {
      const named = parseReference(reference.trim(), run.connection.config.baseUrl);
      if (named?.resourceType !== 'Procedure') {
        results.push('unread');
        continue;
      }
      const { resourceType, id } = named;
      const failure = await lookThere(run, looks, { resourceType, id });
      if (failure !== undefined) return failure;
      const look = looks.get(`${resourceType}/${id}`) ?? 'hidden';
      results.push(look === 'hidden' ? 'unread' : look === 'gone' ? 'gone' : look.body);
    }
    byTask.set(nameOf(resource.key), results);
  }
  return { kind: 'read', byTask };
}

function isToRead({ resourceType, link, observed, record, slot, untold }: LaneResource): boolean {
  const moves = slot?.elements.some((element) => element.moves === 'referral-task') === true;
  return (
    resourceType === 'Task' &&
    moves &&
    untold === undefined &&
    link !== undefined &&
    observed?.body.status === 'completed' &&
    link.seenHash !== observed.hash &&
    (record?.status === 'completed'
      ? isOutcomeUnknown(record.outcome)
      : link.seen?.status !== 'completed' || resultsNamedBy(observed.body).length > 0)
  );
}
