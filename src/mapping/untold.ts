// What stops an element from being taken at its word. What a server leaves out without saying that it is gone: a value that it masks or does not know (data-absent-reason), and most of a resource that
// was entered in error, which servers strip to a few elements. And what says that a value means something else than it would without it (R4 2.4.1.2, 2.24.0.6.1).

import { isObject, type Json, type JsonObject } from '../json.ts';

const dataAbsentReason = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';

/** True where the other side says that it does not tell what stands at this path. */
export function isUntold(resource: Json | undefined, path: readonly string[]): boolean {
  let holder = resource;
  for (const name of path) {
    if (!isObject(holder)) return false;
    if (isAbsent(holder[`_${name}`]) || isAbsent(holder[name])) return true;
    holder = holder[name];
  }
  return false;
}

/** True for a value that has a reason in place of its content; a list where one of its items has. */
export function isAbsent(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(isAbsent);
  const extensions = isObject(value) && Array.isArray(value.extension) ? value.extension : [];
  return extensions.some((extension) => isObject(extension) && extension.url === dataAbsentReason);
}

/** True for a resource, or the facts of one, that says that it was entered in error. */
export function isEnteredInError({ status, lifecycleStatus, verificationStatus }: Readonly<JsonObject>): boolean {
  return [status, lifecycleStatus, verificationStatus].some(saysError);
}

function saysError(value: Json | undefined): boolean {
  if (typeof value === 'string') return value.trim() === 'entered-in-error';
  const codings = Array.isArray(value) ? value : isObject(value) && Array.isArray(value.coding) ? value.coding : [];
  return codings.some((coding) => saysError(isObject(coding) ? coding.code : String(coding).replace(/^.*\|/, '')));
}

/** A switch, because every name of every resource passes here. */
function isQualifier(name: string): boolean {
  switch (name) {
    case 'modifierExtension':
    case 'implicitRules':
    case 'comparator':
    case 'doNotPerform':
      return true;
    default:
      return false;
  }
}

/** The part of the resource or value, if it is none that a rule reads, that changes what all of it means. */
export function qualifierOf(holder: JsonObject, read: readonly string[] = []): string | undefined {
  return Object.keys(holder).find(
    (name) => isQualifier(name) && holder[name] !== undefined && holder[name] !== false && !read.includes(name),
  );
}

/** True where something on the way to this path changes the meaning of what stands there, and no element reads it. The resource itself is left aside. */
export function isQualified(
  resource: JsonObject,
  path: readonly string[],
  elements: ReadonlyMap<string, object>,
): boolean {
  let holder: Json | undefined = resource;
  return path.some((name, index) => {
    holder = isObject(holder) ? holder[name] : undefined;
    const qualifier = isObject(holder) ? qualifierOf(holder) : undefined;
    return qualifier !== undefined && !elements.has([...path.slice(0, index + 1), qualifier].join('.'));
  });
}

/** True where no part of the value is held back by a reason, or has something beside it that changes what it means. */
export function isPlainlyTold(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (!isPlainlyTold(item)) return false;
    }
    return true;
  }
  for (const name in value) {
    const below = value[name];
    if (below === undefined) continue;
    if (typeof below === 'object' && !isPlainlyTold(below)) return false;
    if (isQualifier(name) ? below !== false : name === 'url' && below === dataAbsentReason) return false;
  }
  return true;
}
