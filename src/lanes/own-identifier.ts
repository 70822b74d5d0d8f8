// Our identifier on a resource: what names source, type, id, slot and generation.

import { identifierValue } from '../fhir/fhir.ts';
import { isObject, type JsonObject } from '../json.ts';

/** A replacement must not be taken for what it replaces: from the second on it names its generation. */
export function ownValue(
  source: string,
  { type, id, slot }: { readonly type: string; readonly id: string; readonly slot: string },
  generation: number,
): string {
  const first = identifierValue({ source, type, id }, slot);
  return generation === 1 ? first : `${first}~${generation}`;
}

/** The search by which the server is to find an earlier one of ours: our identifier, which names source, type, id and slot. */
export function ownIdentifierQuery(body: JsonObject, identifierSystem: string): string | undefined {
  const value = ownIdentifier(body, identifierSystem);
  return value === undefined ? undefined : `identifier=${encodeURIComponent(`${identifierSystem}|${value}`)}`;
}

export function ownIdentifier(body: JsonObject, identifierSystem: string): string | undefined {
  return ownIdentifiers(body, identifierSystem)[0];
}

/** More than one where a server has merged two of ours. */
export function ownIdentifiers(body: JsonObject, identifierSystem: string): string[] {
  const identifiers = Array.isArray(body.identifier) ? body.identifier : [body.identifier];
  return identifiers.flatMap((one) =>
    isObject(one) && one.system === identifierSystem && typeof one.value === 'string' ? [one.value] : [],
  );
}
