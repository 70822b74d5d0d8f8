// Elements of a resource as JSON holds them: what is said beside a primitive value, such as its extensions, stands under `_name` (R4 2.6.2).

import type { Json, JsonObject } from '../json.ts';
import { sameJson } from './lens.ts';

/** Sets or removes an element in place. What is said beside a primitive goes with the value that it is about. */
export function setElement(holder: JsonObject, name: string, value: Json | undefined): void {
  const before = holder[name];
  const beside = holder[`_${name}`];
  if (value === undefined) delete holder[name];
  else holder[name] = value;
  if (beside === undefined || sameJson(before, value)) return;
  const kept =
    Array.isArray(before) && Array.isArray(value) && Array.isArray(beside) ? moved(beside, before, value) : [];
  if (kept.some((one) => one !== null)) holder[`_${name}`] = kept;
  else delete holder[`_${name}`];
}

/** A list of primitives has what is said beside its items in a list of the same length. */
function moved(beside: readonly Json[], before: readonly Json[], after: readonly Json[]): Json[] {
  const taken = new Set<number>();
  return after.map((item) => {
    const from = before.findIndex((old, at) => old === item && !taken.has(at));
    taken.add(from);
    return beside[from] ?? null;
  });
}
