// How the agency's system takes over a change: RFC 7396, but lists whose items have ids are merged item by item, because a change holds the
// list as the agency last sent it plus what is new.

import { isObject, type Json, type JsonObject } from '../json.ts';

/** The record with the patch of a change applied. */
export function takeOver(record: JsonObject, patch: Json | undefined): JsonObject {
  const result = { ...record };
  for (const [name, value] of Object.entries(isObject(patch) ? patch : {})) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

function merged(own: Json | undefined, theirs: Json): Json {
  if (isObject(theirs)) return takeOver(isObject(own) ? own : {}, theirs);
  if (!Array.isArray(theirs) || !Array.isArray(own) || !theirs.every(hasId)) return theirs;
  const kept = own.map((item) => theirs.find((other) => hasId(item) && hasId(other) && other.id === item.id) ?? item);
  const added = theirs.filter((item) => !own.some((other) => hasId(item) && hasId(other) && other.id === item.id));
  return [...kept, ...added];
}

function hasId(item: Json): item is JsonObject {
  return isObject(item) && typeof item.id === 'string';
}
