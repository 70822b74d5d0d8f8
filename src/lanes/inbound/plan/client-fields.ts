// By what a stranger is known and reached, read from a chart for the first time: one legal name, the numbers that count on this connection, phones and
// e-mail. The mapping reads these back only beside what a record says already. Pure.

import { type JsonObject, objectAt, objectsAt, textAt, textsAt } from '../../../json.ts';

/** @param identifierSystems of the connection, by identifier kind */
export function clientFields(patient: JsonObject, identifierSystems: Readonly<Record<string, string>>): JsonObject {
  const names = objectsAt(patient, 'name');
  const legal =
    ['official', 'usual', undefined].flatMap((use) => names.filter((one) => one.use === use))[0] ?? names[0];
  const family = textAt(legal, 'family');
  const points = objectsAt(patient, 'telecom').filter(({ use }) => use !== 'old');
  const of = (system: string) =>
    points.filter((one) => one.system === system).flatMap((one) => textAt(one, 'value') ?? []);
  return present({
    names: family === undefined ? [] : [{ use: 'legal', given: textsAt(legal, 'given'), family }],
    identifiers: identifiersOf(patient, identifierSystems),
    phones: of('phone').map((number, at) => ({ id: `phone-${at + 1}`, number })),
    emails: of('email'),
  });
}

function identifiersOf(patient: JsonObject, systems: Readonly<Record<string, string>>): JsonObject[] {
  const held = objectsAt(patient, 'identifier').flatMap((one) => {
    const [system, value] = [textAt(one, 'system'), textAt(one, 'value')?.trim()];
    const isOver = textAt(objectAt(one, 'period'), 'end') !== undefined || one.use === 'old';
    const kind = Object.entries(systems).find(([, known]) => known === system)?.[0];
    return system === undefined || value === undefined || kind === undefined || isOver ? [] : [{ kind, system, value }];
  });
  // One number may stand there twice, padded and not.
  return [...new Map(held.map((one) => [`${one.system}|${one.value}`, one])).values()];
}

function present(fields: Readonly<Record<string, JsonObject[] | string[]>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, list]) => list.length > 0));
}
