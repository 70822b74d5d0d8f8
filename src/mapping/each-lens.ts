// `{each: list, by, where, item}`: one item in FHIR for each item of a record's list, matched by key on both sides (`list-items.ts`).
// `by: id` puts the item's id into the FHIR element's id. A server's item that we did not put there is somebody else's: it is kept, and comes back as a
// new item with its id, or without one as `r-<hash of what it says>`, the same at every look.

import type { Json } from '../json.ts';
import { absorbItems } from './absorb-items.ts';
import { addIssue, blindly, type Lens, sameJson } from './lens.ts';
import { type EachRule, keyItems, lacksId, listFact } from './list-items.ts';
import { claimsAny } from './list-lens.ts';
import { projectItem, within } from './project-item.ts';
import { putItems } from './put-items.ts';
import { listPointer, RecordScope, reader, type Scope } from './scope.ts';
import { isAbsent } from './untold.ts';

export function eachLens(rule: EachRule): Lens {
  const { item, claims } = rule;
  const read = reader(rule.path);
  const itemsOf = (scope: Scope): Json[] => {
    const list = read(scope);
    return Array.isArray(list) ? list : [];
  };
  const owned = (raw: Json | undefined): Json[] => (Array.isArray(raw) ? raw.filter((one) => claims(one, raw)) : []);

  const project: Lens['project'] = (scope, run) => {
    const items = read(scope);
    if (!Array.isArray(items) || items.length === 0) {
      return undefined;
    }
    const list = listPointer(scope, rule.path);
    const { trace } = run;
    const base = trace?.takeBase() ?? 0;
    const made: Json[] = [];
    for (let index = 0; index < items.length; index += 1) {
      const mark = trace?.mark() ?? 0;
      trace?.enter(base + made.length);
      const value = projectItem(rule, new RecordScope(scope.record, items[index] ?? null, list, index, scope), run);
      trace?.leave();
      if (value !== undefined && !(rule.distinct && made.some((other) => sameJson(other, value)))) {
        made.push(value);
      } else {
        trace?.forget(mark);
      }
    }
    return made.length > 0 ? made : undefined;
  };

  return {
    constant: false,
    twoWay: item.twoWay,
    present: (scope, run) =>
      itemsOf(scope).some((value) => rule.where?.(within(scope, value, rule, 0), run.context) !== false),
    project,
    fact: (raw) => {
      const keyed = keyItems(rule, withoutDoubles(rule, owned(raw)));
      return keyed.length === 0 ? undefined : listFact(rule, keyed);
    },
    claims: (raw) => claimsAny(raw, claims),
    stands: (raw, draft, run) => {
      const blind = blindly(run);
      const made = project(draft, blind);
      return !blind.unknown && (sameJson(made, raw) || sameJson(made, filled(owned(raw))));
    },
    put: (raw, old, sent) => putItems(rule, owned(raw), Array.isArray(old) ? old : [], sent),
    absorb: (raw, draft, run) => {
      const theirs = owned(raw);
      // A list of which one item is not told is not the whole list.
      if (!run.isPlain && isAbsent(theirs))
        addIssue(run, 'left-out', 'The other side says that it does not tell all of this.', rule.at);
      else absorbItems(rule, withoutDoubles(rule, theirs), itemsOf(draft), draft, run);
    },
  };
}

/** A list of ours is not there rather than empty. */
function filled(items: Json[]): Json[] | undefined {
  return items.length > 0 ? items : undefined;
}

/** A server may show an item of ours twice, id and all. */
function withoutDoubles(rule: EachRule, items: readonly Json[]): readonly Json[] {
  if (rule.by !== 'id') return items;
  return items.filter(
    (item, index) => lacksId(rule, item) || !items.slice(0, index).some((other) => sameJson(item, other)),
  );
}
