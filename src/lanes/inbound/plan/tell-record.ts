// A resource as the one record that it may become, with what every record of a client is offered with. Pure.

import type { Json, JsonObject } from '../../../json.ts';
import { isReadable, slotFor, type Told } from '../propose.ts';
import { labelled } from './labels.ts';
import type { Ground, Place } from './verdict.ts';

/** @returns undefined: no mapping reads it, or it does not say what a record needs */
export function tellRecord(
  ground: Ground,
  { row, type, resourceType, id }: Place,
  body: JsonObject,
  patient: string,
  more: Pick<Told, 'otherwise'> & { readonly fixed?: JsonObject } = {},
): Told | undefined {
  const { view } = ground;
  const slot = type === 'none' ? undefined : slotFor(view.input.mappings, type, resourceType);
  if (type === 'none' || slot === undefined) return undefined;
  const told: Told = {
    type,
    id: row?.id ?? view.proposedId(type, { resourceType, id }),
    origin: { resourceType, id },
    resources: [{ slot, body }],
    fixed: { ...more.fixed, ...belonging(ground, patient, [body]) },
    ...(more.otherwise && { otherwise: more.otherwise }),
  };
  return isReadable(type, view.propose(told).record) ? told : undefined;
}

/** Whose it is, under which case, and by which labels it asks for consent. */
export function belonging(
  { view, cases }: Ground,
  patient: string,
  bodies: readonly (JsonObject | undefined)[],
): JsonObject {
  const caseId = caseOf({ view, cases }, patient);
  return { clientId: view.clientId(patient), ...(caseId !== undefined && { caseId }), ...labelled(bodies) };
}

/** The one open case of the client; the proposed one of a stranger; which of several is for the source to say. */
function caseOf({ view, cases }: Ground, patient: string): Json | undefined {
  const [only, another] = view.openCases(patient);
  if (only !== undefined) return another === undefined ? (only.id ?? '') : undefined;
  const place = cases.get(patient);
  return place && (place.row?.id ?? view.proposedId('case', place));
}
