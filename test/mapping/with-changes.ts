// A JSON object with some places changed, as variants and edits of fixtures name them: JSON pointer -> value, null to remove; `/-` appends.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';

/** @throws Error for a pointer that leads through something that is not there. */
export function withChanges(object: JsonObject, changes: JsonObject): JsonObject {
  const result = structuredClone(object);
  for (const [pointer, value] of Object.entries(changes)) {
    const names = pointer.slice(1).split('/');
    const last = names.pop() ?? '';
    const holder = names.reduce<Json | undefined>(childOf, result);
    if (Array.isArray(holder)) changeItem(holder, last, value);
    else if (!isObject(holder)) throw new Error(`There is nothing that ${pointer} could be in.`);
    else if (value === null) delete holder[last];
    else holder[last] = value;
  }
  return result;
}

function changeItem(list: Json[], name: string, value: Json): void {
  if (name === '-') list.push(value);
  else if (value === null) list.splice(Number(name), 1);
  else list[Number(name)] = value;
}

function childOf(value: Json | undefined, name: string): Json | undefined {
  return Array.isArray(value) ? value[Number(name)] : isObject(value) ? value[name] : undefined;
}
