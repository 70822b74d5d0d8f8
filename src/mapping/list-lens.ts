// One entry of a list template: it owns the items of a server's list that it claims and leaves all others where they are.

import type { Json } from '../json.ts';
import { holdsNoNews, isAsMade, isAsSent, type Lens, sentIn } from './lens.ts';

/** Items that an earlier entry of the same list claims belong to that one. */
export type Claims = (item: Json, list?: readonly Json[]) => boolean;

/** A lens on a whole list that makes at most one item. */
export function singleItemLens(item: Lens, claims: Claims): Lens {
  const own = (list: Json | undefined): Json | undefined =>
    Array.isArray(list) ? list.find((one) => claims(one, list)) : undefined;
  const { project } = item;
  return {
    constant: item.constant,
    ...(item.optional && { optional: true }),
    twoWay: item.twoWay,
    present: item.present,
    project: (scope, run) => {
      run.trace?.enter(run.trace.takeBase());
      const value = project(scope, run);
      run.trace?.leave();
      return value === undefined ? undefined : [value];
    },
    fact: (raw) => {
      const value = own(raw);
      return value === undefined ? undefined : item.fact(value);
    },
    claims: (raw) => claimsAny(raw, claims),
    put: (raw, old, sent) => {
      const wanted = own(raw);
      const kept = Array.isArray(old) ? old : [];
      const index = kept.findIndex((one) => claims(one, kept));
      const value = wanted === undefined ? undefined : item.put(wanted, index < 0 ? undefined : kept[index], sent);
      return replaceItems(kept, index < 0 ? [] : [index], value === undefined ? [] : [value]);
    },
    stands: (raw, draft, run) => {
      const isAlone = Array.isArray(raw) && raw.length === 1;
      return (isAlone && isAsMade(item, raw[0], draft, run)) || holdsNoNews(item, own(raw), draft, run);
    },
    absorb: (raw, draft, run) => item.absorb(own(raw), draft, run),
  };
}

/** For a list, whether it holds an item of ours; for an item, whether it is one. */
export function claimsAny(raw: Json, claims: Claims): boolean {
  return Array.isArray(raw) ? raw.some((one) => claims(one, raw)) : claims(raw);
}

/** Says something about the record, if only that a condition holds. */
function isTelling({ constant, optional }: Lens): boolean {
  return !constant || optional === true;
}

/** Several entries on one list inside an object, where they are no elements of their own. */
export function joinedLens(entries: readonly { key: string; lens: Lens }[]): Lens {
  const isConstant = entries.every(({ lens }) => lens.constant);
  const parts = entries.map(({ lens }) => ({ project: lens.project, isTelling: isTelling(lens) }));
  return {
    constant: isConstant,
    twoWay: entries.some(({ lens }) => lens.twoWay),
    present: (scope, run) => entries.some(({ lens }) => isTelling(lens) && lens.present(scope, run)),
    project: (scope, run) => {
      const base = run.trace?.takeBase() ?? 0;
      const mark = run.trace?.mark() ?? 0;
      const list: Json[] = [];
      let said = isConstant;
      for (const { project, isTelling } of parts) {
        run.trace?.startAt(base + list.length);
        const items = project(scope, run);
        if (Array.isArray(items)) {
          for (const item of items) list.push(item);
          said ||= isTelling;
        }
      }
      if (said && list.length > 0) {
        return list;
      }
      run.trace?.forget(mark);
      return undefined;
    },
    fact: (raw) => {
      const facts: Record<string, Json> = {};
      for (const { key, lens } of entries) {
        const known = lens.fact(raw);
        if (known !== undefined) {
          facts[key] = known;
        }
      }
      return Object.keys(facts).length > 0 ? facts : undefined;
    },
    claims: (raw) => {
      const fixed = entries.filter(({ lens }) => lens.constant && lens.optional !== true);
      const hasFixed = fixed.every(({ lens }) => lens.claims(raw));
      return hasFixed && (fixed.length === entries.length || entries.some(({ lens }) => lens.claims(raw)));
    },
    stands: (raw, draft, run) => entries.every(({ lens }) => holdsNoNews(lens, raw, draft, run)),
    put: (raw, old, sent) =>
      entries.reduce<Json | undefined>(
        (list, { key, lens }) => (isAsSent(lens, key, raw, sent) ? list : lens.put(raw, list, sentIn(sent, key))),
        old,
      ),
    absorb: (raw, draft, run) => {
      for (const { lens } of entries) {
        lens.absorb(raw, draft, run);
      }
    },
  };
}

/** `list` with the items at `indexes` replaced in their place, surplus ones removed and new ones at the end; undefined when empty. */
export function replaceItems(
  list: readonly Json[],
  indexes: readonly number[],
  items: readonly Json[],
): Json[] | undefined {
  const left = [...items];
  const result = list.flatMap((item, index) => {
    if (!indexes.includes(index)) {
      return [item];
    }
    const next = left.shift();
    return next === undefined ? [] : [next];
  });
  result.push(...left);
  return result.length > 0 ? result : undefined;
}
