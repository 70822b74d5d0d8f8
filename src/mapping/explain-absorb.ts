// The way back with its reasons: which element of a resource changes which fields of the record.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { mergePatch } from './slot.ts';
import type { AbsorbedElement, CompiledSlot, MappingIssue, NotUnderstood } from './types.ts';
import { unreadParts } from './unread.ts';

/** What `absorb` gives, and for each element that changes something, what. */
export function explainAbsorb(
  slot: CompiledSlot,
  ...[keys, observed, record, resolve, linked]: Parameters<CompiledSlot['absorb']>
): { patch: JsonObject; issues: MappingIssue[]; lineage: AbsorbedElement[]; notUnderstood: NotUnderstood[] } {
  const issues: MappingIssue[] = [];
  const lineage: AbsorbedElement[] = [];
  const facts = slot.facts(observed);
  let current = record;
  for (const key of keys) {
    const absorbed = slot.absorb([key], observed, current, resolve, linked);
    issues.push(...absorbed.issues);
    const fields = Object.keys(absorbed.patch);
    if (fields.length === 0) continue;
    const rule = slot.elements.find((element) => element.key === key)?.at ?? '';
    lineage.push({ element: key, rule, held: facts[key] ?? null, pointers: fields.map((field) => `/${field}`) });
    current = patched(current, absorbed.patch);
  }
  return { patch: mergePatch(record, current), issues, lineage, notUnderstood: notUnderstood(slot, observed, issues) };
}

/** Each once: what a rule is there for and could not carry, and what no rule reads. */
function notUnderstood(slot: CompiledSlot, observed: JsonObject, issues: readonly MappingIssue[]): NotUnderstood[] {
  const known = slot.copy(
    slot.elements.map(({ key }) => key),
    observed,
    {},
  );
  const carried = issues.map(({ element, code, at }): NotUnderstood => ({ element, why: code, rule: at }));
  const unread = unreadParts(observed, known).map((element): NotUnderstood => ({ element, why: 'no-rule' }));
  const told = new Map([...carried, ...unread].map((one) => [`${one.element} ${one.why}`, one]));
  return [...told.values()];
}

/** RFC 7396. */
function patched(target: JsonObject, patch: JsonObject): JsonObject {
  const result: JsonObject = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

function merged(old: Json | undefined, value: Json): Json {
  return isObject(value) ? patched(isObject(old) ? old : {}, value) : value;
}
