// What a record says it answers on a server.

import { type JsonObject, objectAt, textAt } from '../../json.ts';

/** The resource that a record answers, where that is on this connection. */
export function originHere(record: JsonObject | undefined, connection: string) {
  const origin = objectAt(record, 'origin');
  const [resourceType, id] = [textAt(origin, 'resourceType'), textAt(origin, 'id')];
  return textAt(origin, 'connection') === connection && resourceType !== undefined && id !== undefined
    ? { resourceType, id }
    : undefined;
}
