// From what was read to what should be there, as a JSON Patch (RFC 6902) that says only what changes: what the server holds beside it stays.
// Each change is preceded by tests of what was read, so that the server refuses the whole when somebody has changed it meanwhile. Pure.

import { canonicalJson } from '../../fhir/fhir.ts';
import { isObject, type Json, type JsonObject, pointerStep } from '../../json.ts';

/** `path` is a JSON Pointer (RFC 6901). */
export type PatchOperation =
  | { op: 'test' | 'add' | 'replace'; path: string; value: Json }
  | { op: 'remove'; path: string };

export interface PatchOptions {
  /**
   * The request carries If-Match: then a list item is tested by its id alone where it has one, and nothing in it, which is all that some
   * servers take there (ehr-behaviour C18). Without a tag the tests are the only guard, so values are tested too, and the time of the last change where it is told.
   */
  readonly isTagged: boolean;
}

/** Empty: both are equal. Applied to `observed` it gives `wanted`, all of it or nothing. */
export function jsonPatch(observed: JsonObject, wanted: JsonObject, options: PatchOptions): PatchOperation[] {
  const changes = diffObject('', observed, wanted, { ...options, isTested: false });
  const { meta } = observed;
  const updated = isObject(meta) ? meta.lastUpdated : undefined;
  return changes.length === 0 || options.isTagged || updated === undefined
    ? changes
    : [test('/meta/lastUpdated', updated), ...changes];
}

interface Context extends PatchOptions {
  /** Within a list item whose id has been tested, which is enough. */
  readonly isTested: boolean;
}

function diff(path: string, before: Json, after: Json, options: Context): PatchOperation[] {
  if (isSame(before, after)) return [];
  if (isObject(before) && isObject(after)) return diffObject(path, before, after, options);
  if (Array.isArray(before) && Array.isArray(after)) return diffList(path, before, after, options);
  return [...tests(path, before, options), { op: 'replace', path, value: after }];
}

function diffObject(path: string, before: JsonObject, after: JsonObject, options: Context): PatchOperation[] {
  const removed = Object.keys(before)
    .filter((name) => !Object.hasOwn(after, name))
    .flatMap((name) => [...tests(below(path, name), before[name] ?? null, options), removalOf(path, name)]);
  const kept = Object.keys(before)
    .filter((name) => Object.hasOwn(after, name))
    .flatMap((name) => diff(below(path, name), before[name] ?? null, after[name] ?? null, options));
  const added = Object.keys(after)
    .filter((name) => !Object.hasOwn(before, name))
    .map((name): PatchOperation => ({ op: 'add', path: below(path, name), value: after[name] ?? null }));
  // `add` would replace what somebody else has added under the name; that nothing is there can be tested only on the whole around it.
  const guard = added.length > 0 && path !== '' ? tests(path, before, options) : [];
  return [...guard, ...removed, ...kept, ...added];
}

/**
 * The part between what both lists begin and end with is changed in place; what is left over is removed from its end, or added there.
 * Changes come first, then removals from the back, so that no place shifts before it is used.
 */
function diffList(path: string, before: Json[], after: Json[], options: Context): PatchOperation[] {
  const start = commonStart(before, after);
  const end = commonStart(before.slice(start).reverse(), after.slice(start).reverse());
  const old = before.slice(start, before.length - end);
  const fresh = after.slice(start, after.length - end);
  const inPlace = Math.min(old.length, fresh.length);
  const changed = old
    .slice(0, inPlace)
    .flatMap((item, at) => changeItem(below(path, start + at), item, fresh[at] ?? null, options));
  const removed = old
    .slice(inPlace)
    .map((item, at) => [
      ...testsOfItem(below(path, start + inPlace + at), item, options),
      removalOf(path, start + inPlace + at),
    ])
    .toReversed();
  const added = fresh.slice(inPlace).flatMap((value, at) => addItem(path, before, start + inPlace, at, value, options));
  return [...changed, ...removed.flat(), ...added];
}

function changeItem(path: string, before: Json, after: Json, options: Context): PatchOperation[] {
  if (isSame(before, after)) return [];
  const known = testsOfItem(path, before, options);
  const isEdited =
    isObject(before) && isObject(after) && before.id !== undefined && isSame(before.id, after.id ?? null);
  return isEdited
    ? [...known, ...diffObject(path, before, after, { ...options, isTested: options.isTagged })]
    : [...known, { op: 'replace', path, value: after }];
}

/** At the end of the list it goes after whatever is there; before other items it goes where the next of them was read. */
function addItem(
  path: string,
  before: readonly Json[],
  place: number,
  at: number,
  value: Json,
  options: Context,
): PatchOperation[] {
  const next = before[place];
  if (next === undefined) return [{ op: 'add', path: below(path, '-'), value }];
  const known = at === 0 ? testsOfItem(below(path, place), next, options) : [];
  return [...known, { op: 'add', path: below(path, place + at), value }];
}

function removalOf(path: string, name: string | number): PatchOperation {
  return { op: 'remove', path: below(path, name) };
}

function testsOfItem(path: string, item: Json, options: Context): PatchOperation[] {
  const id = isObject(item) ? item.id : undefined;
  if (id === undefined || options.isTested) return tests(path, item, options);
  return options.isTagged ? [test(below(path, 'id'), id)] : [test(below(path, 'id'), id), test(path, item)];
}

function tests(path: string, value: Json, { isTested }: Context): PatchOperation[] {
  return isTested ? [] : [test(path, value)];
}

function test(path: string, value: Json): PatchOperation {
  return { op: 'test', path, value };
}

function below(path: string, name: string | number): string {
  return `${path}${pointerStep(name)}`;
}

function isSame(one: Json, other: Json): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

function commonStart(one: readonly Json[], other: readonly Json[]): number {
  const at = one.findIndex((item, index) => index >= other.length || !isSame(item, other[index] ?? null));
  return at < 0 ? Math.min(one.length, other.length) : at;
}
