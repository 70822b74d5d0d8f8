// What of a resource no rule of a slot reads: the mapping leaves it where it is, and says so.

import { isObject, type Json, type JsonObject } from '../json.ts';

/** What every resource has without saying anything by it; a reader's copy of the text, and the ways in which a server names its own. */
const silent = ['resourceType', 'id', 'meta.versionId', 'meta.lastUpdated', 'meta.source', 'meta.tag', 'text'];

/**
 * Paths of the outermost parts of `resource` that are not in `known`, which holds what the rules know of it.
 * Known list items may stand in another order than those that they were made of.
 */
export function unreadParts(resource: JsonObject, known: JsonObject): string[] {
  return below(resource, known, '').filter((path) => !silent.includes(path));
}

function below(whole: JsonObject, known: JsonObject, path: string): string[] {
  return Object.entries(whole).flatMap(([name, value]) => {
    const here = path === '' ? name : `${path}.${name}`;
    return parts(value, known[name], here);
  });
}

function parts(value: Json, known: Json | undefined, path: string): string[] {
  if (known === undefined) return path === 'meta' && isObject(value) ? below(value, {}, path) : [path];
  if (isObject(value) && isObject(known)) return below(value, known, path);
  if (Array.isArray(value) && Array.isArray(known)) return items(value, known, path);
  return [];
}

function items(list: readonly Json[], known: readonly Json[], path: string): string[] {
  const left = [...known];
  return list.flatMap((item, index) => {
    const at = left.findIndex((one) => isPartOf(one, item));
    if (at < 0) return [`${path}[${index}]`];
    const [found] = left.splice(at, 1);
    return parts(item, found, `${path}[${index}]`);
  });
}

function isPartOf(part: Json, whole: Json): boolean {
  if (isObject(part) && isObject(whole)) {
    return Object.entries(part).every(([name, value]) => whole[name] !== undefined && isPartOf(value, whole[name]));
  }
  if (Array.isArray(part) && Array.isArray(whole)) {
    return part.every((item) => whole.some((other) => isPartOf(item, other)));
  }
  return part === whole;
}
