// The way back with its reasons: which element of a resource changes which fields of the record, and what of it is not understood.

import { type JsonObject, pointerStep } from '../json.ts';
import type { AbsorbedElement, CompiledSlot, MappingIssue, NotUnderstood } from './types.ts';
import { unreadParts } from './unread.ts';

export interface ExplainedAbsorb {
  readonly patch: JsonObject;
  readonly issues: MappingIssue[];
  readonly lineage: AbsorbedElement[];
  readonly notUnderstood: NotUnderstood[];
}

/** What `absorb` gives; for each element that changes something, what; and each part of the resource that the record says nothing of, once. */
export function explainAbsorb(
  slot: CompiledSlot,
  ...[keys, observed, record, context]: Parameters<CompiledSlot['absorb']>
): ExplainedAbsorb {
  const { patch, issues } = slot.absorb(keys, observed, record, context);
  const elements = Object.keys(patch).length === 0 ? [] : slot.elements.filter(({ key }) => keys.includes(key));
  const lineage = elements.flatMap(({ key, at, converter }): AbsorbedElement[] => {
    const fields = Object.keys(slot.absorb([key], observed, record, context).patch).filter((field) => field in patch);
    if (fields.length === 0) return [];
    const raw = slot.raw(key, observed) ?? null;
    return [{ element: key, rule: at, converter, raw, pointers: fields.map((field) => pointerStep(field)) }];
  });
  return { patch, issues, lineage, notUnderstood: notUnderstood(slot, observed, issues) };
}

function notUnderstood(slot: CompiledSlot, observed: JsonObject, issues: readonly MappingIssue[]): NotUnderstood[] {
  const keys = slot.elements.map(({ key }) => key);
  const carried = issues.map(({ element, code, at }): NotUnderstood => ({ element, why: code, rule: at }));
  const unread = unreadParts(observed, slot.copy(keys, observed, {})).map(
    (element): NotUnderstood => ({ element, why: 'no-rule' }),
  );
  return [...new Map([...carried, ...unread].map((one) => [`${one.element} ${one.why}`, one])).values()];
}
