// The hospital's own labels of what is sensitive, as those by which a source's records ask for consent. A label that ours have no name for may stand
// for any of them, so it is read as all: the source takes away what it knows does not apply. Pure.

import { type JsonObject, objectAt, objectsAt, textAt } from '../../../json.ts';

/** The labels of records. */
const labels = [
  'substance-use-part2',
  'mental-health',
  'hiv',
  'domestic-violence',
  'reproductive-health',
  'minor-consented',
] as const;

/** What v3-ActCode calls sensitive, as far as a label of ours says the same. */
const meanings: Readonly<Record<string, readonly (typeof labels)[number][]>> = {
  '42CFRPart2': ['substance-use-part2'],
  BH: ['mental-health', 'substance-use-part2'],
  ETH: ['substance-use-part2'],
  ETHUD: ['substance-use-part2'],
  HIV: ['hiv'],
  OPIOIDUD: ['substance-use-part2'],
  PSY: ['mental-health'],
  PSYTHPN: ['mental-health'],
  SDV: ['domestic-violence'],
  SEX: ['reproductive-health'],
  SUD: ['substance-use-part2'],
};

/** Of v3-Confidentiality: no more than any health record. */
const ordinary = ['U', 'L', 'M', 'N'];

/** Tags of other kinds that stand in `meta.security`: what data may be used for, and how an answer was cut. */
const otherKinds = ['v3-ActReason', 'v3-ObservationValue'];

/** The field `sensitivity` of a record that these resources make; nothing where none of them bears a label. */
export function labelled(bodies: readonly (JsonObject | undefined)[]): { readonly sensitivity?: string[] } {
  const found = bodies.flatMap((body) => labelsOf(body));
  const sensitivity = labels.filter((label) => found.includes(label));
  return sensitivity.length === 0 ? {} : { sensitivity };
}

function labelsOf(body: JsonObject | undefined): readonly string[] {
  const codings = objectsAt(objectAt(body, 'meta'), 'security').map((coding) => ({
    system: textAt(coding, 'system')?.split('/').at(-1),
    code: textAt(coding, 'code')?.trim() ?? '',
  }));
  const known = codings.flatMap(({ code }) => meanings[code] ?? []);
  const unnamed = codings.filter(({ system, code }) => {
    if (system === 'v3-Confidentiality') return known.length === 0 && !ordinary.includes(code);
    return meanings[code] === undefined && !otherKinds.includes(system ?? '');
  });
  return unnamed.length === 0 ? known : labels;
}
