// Where a document is filed: the newest encounter of the patient that is open (`documents.encounter: latest-open`).

import { isWholeSearch } from '../../connections/connections.ts';
import { reason } from '../../errors.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { isInstant, isPartialDate } from '../../records/records.ts';
import { closeObsolete, openDecision } from '../decisions/decisions.ts';
import type { Run } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import { underLease } from '../lease.ts';
import { type Failure, searchFailure } from '../look/search-failure.ts';

/** The topic under which a person is asked about an encounter that is not there. */
export const encounterTopic = 'encounter';

export type EncounterResult =
  | { readonly kind: 'found'; readonly encounter: { readonly id: string } | 'none-open' }
  | Failure;

/** Asks the server. Where a document cannot go without one and none is open, a person is asked; an open encounter answers the question. */
export async function findEncounter(
  { deps, connection, lease }: Run,
  resource: LaneResource,
): Promise<EncounterResult> {
  const { document } = resource;
  const result = await connection.client.searchAll(
    'Encounter',
    connection.vendor.queries.encounters(document?.patientId ?? ''),
  );
  if (!isWholeSearch(result)) return searchFailure(connection, result);
  const id = newestOpen(result.resources);
  await underLease({ deps, lease }, async (trx) => {
    if (id !== undefined) return closeObsolete(trx, lease, [encounterTopic]);
    if (document?.rules.encounter !== 'required') return;
    await openDecision(trx, lease, {
      kind: 'encounter-missing',
      topic: encounterTopic,
      key: resource.key,
      reason: reason('encounter-missing'),
      detail: { edition: (document.editions.at(-1)?.number ?? 0) + 1 },
      choices: [{ choose: 'look-again', effect: 'An encounter is open now: look for it and file the document there.' }],
    });
  });
  return { kind: 'found', encounter: id === undefined ? 'none-open' : { id } };
}

const openStatuses = ['arrived', 'triaged', 'in-progress', 'onleave'];

/** The id of the open encounter that started last; undefined when none is open. */
function newestOpen(encounters: readonly JsonObject[]): string | undefined {
  const open = encounters.filter(
    ({ status, period }) =>
      openStatuses.includes(String(status)) && !(isObject(period) && typeof period.end === 'string'),
  );
  const [newest] = open.sort((a, b) => startOf(b) - startOf(a));
  return typeof newest?.id === 'string' ? newest.id : undefined;
}

/** Epoch ms; of one that says no time, or none that is one, before all others. */
function startOf({ period }: JsonObject): number {
  const start = isObject(period) ? period.start : undefined;
  return isInstant(start) || (typeof start === 'string' && isPartialDate(start)) ? Date.parse(start) : 0;
}
