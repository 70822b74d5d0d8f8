// Puts operations in the order in which a server can take them: what is pointed at comes first.

import { isObject, type Json } from '../../json.ts';
import { recordTypes } from '../../records/records.ts';
import type { Operation } from '../plan.ts';

/**
 * Sorts by the placeholder references between the bodies; equal rank keeps record order. A cycle (only optional references can make one)
 * is cut where it is met; its rest is written as an update when the other link exists.
 */
export function orderByReferences(operations: readonly Operation[]): Operation[] {
  const sorted = [...operations].sort((a, b) => compareNames(nameParts(a), nameParts(b)));
  const byPlaceholder = new Map(
    sorted.flatMap((operation) =>
      operation.kind === 'create' ? [[operation.resource.placeholder, operation] as const] : [],
    ),
  );
  const done = new Set<Operation>();
  const result: Operation[] = [];
  const visit = (operation: Operation): void => {
    if (done.has(operation)) return;
    done.add(operation);
    for (const placeholder of 'body' in operation ? placeholdersIn(operation.body) : []) {
      const target = byPlaceholder.get(placeholder);
      if (target !== undefined) visit(target);
    }
    result.push(operation);
  };
  for (const operation of sorted) visit(operation);
  return result;
}

/** References of the form `urn:uuid:…`: to a resource of the same run that has no id on the server yet. */
export function placeholdersIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(placeholdersIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, part]) =>
    name === 'reference' && typeof part === 'string' && part.startsWith('urn:uuid:') ? [part] : placeholdersIn(part),
  );
}

/** Ties are broken by the order in which records arrive, which keeps plans equal from run to run. */
function nameParts({ resource: { key } }: Operation): [number, string, string] {
  return [recordTypes.indexOf(key.type), key.id, key.slot];
}

function compareNames(a: [number, string, string], b: [number, string, string]): number {
  return a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0) || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0);
}
