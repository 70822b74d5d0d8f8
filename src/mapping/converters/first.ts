// `{first: [...]}`: the first of several sources that the record has. The way back goes to the alternative that can hold the value.

import type { Json } from '../../json.ts';
import { type AbsorbRun, addIssue, blindly, type Lens, replaceUnlessSame, sameJson } from '../lens.ts';
import type { Draft } from '../scope.ts';

/** @param at the rule, as `file:line`. */
export function firstLens(alternatives: readonly Lens[], at: string): Lens {
  /** The alternative that would have made this; else one that knows some of it. */
  const knowing = (raw: Json): Lens | undefined => {
    const able = alternatives.filter((lens) => lens.fact(raw) !== undefined);
    return able.find((lens) => lens.claims(raw)) ?? able[0];
  };
  const fact = (raw: Json): Json | undefined => knowing(raw)?.fact(raw);
  const holderOf = (raw: Json): Lens | undefined => {
    const able = alternatives.filter((lens) => lens.twoWay && !lens.constant && lens.fact(raw) !== undefined);
    return able.find((lens) => lens.claims(raw)) ?? able[0];
  };
  /** What stands already is no news; and what another record may say cannot be told from news here. */
  const stands = (current: Lens, raw: Json | undefined, draft: Draft, run: AbsorbRun): boolean => {
    if (raw !== undefined && current.agrees?.(raw, draft, run)) {
      return true;
    }
    const blind = blindly(run);
    const projected = current.project(draft, blind);
    const { unknown } = blind;
    return (
      (unknown && (current === self || !current.agrees)) ||
      sameJson(projected, raw) ||
      sameJson(factOf(fact, projected), factOf(fact, raw))
    );
  };
  const parts = alternatives.map(({ present, project }) => ({ present, project }));
  const self: Lens = {
    constant: alternatives.every(({ constant }) => constant),
    twoWay: alternatives.some(({ twoWay }) => twoWay),
    present: (scope, run) => alternatives.some((lens) => lens.present(scope, run)),
    project: (scope, run) => {
      // An alternative that is not present makes nothing, but may have something to report.
      for (const { present, project } of parts) {
        const value = project(scope, run);
        if (value !== undefined || present(scope, run)) {
          return value;
        }
      }
      return undefined;
    },
    fact,
    claims: (raw, list) => alternatives.some((lens) => lens.claims(raw, list)),
    ...(alternatives.some(({ agrees }) => agrees) && {
      agrees: (raw: Json, draft: Draft, run: AbsorbRun): boolean =>
        alternatives.find((lens) => lens.present(draft, run))?.agrees?.(raw, draft, run) === true,
    }),
    put: (raw, old, sent) => {
      const holder = raw === undefined ? undefined : knowing(raw);
      if (holder && (old === undefined || knowing(old) === holder)) {
        return holder.put(raw, old, sent);
      }
      if (holder && !Array.isArray(old)) {
        return replaceUnlessSame(self, raw, old);
      }
      const cleared = alternatives.reduce(
        (rest, lens) => (rest === undefined ? rest : lens.put(undefined, rest, sent)),
        old,
      );
      return holder ? holder.put(raw, cleared, sent) : cleared;
    },
    absorb: (raw, draft, run) => {
      const current = alternatives.find((lens) => lens.present(draft, run));
      if (current && stands(current, raw, draft, run)) {
        return;
      }
      const holder = raw === undefined ? current : holderOf(raw);
      const before = run.issues.length;
      if (holder?.twoWay) {
        holder.absorb(raw, draft, run);
      }
      if (current?.twoWay && current !== holder && holder?.present(draft, run)) {
        current.absorb(undefined, draft, run);
      }
      if (run.issues.length === before && !stands(self, raw, draft, run)) {
        addIssue(
          run,
          'left-out',
          'What the other side says here follows from something else in the record, which stands.',
          at,
        );
      }
    },
  };
  return self;
}

function factOf(fact: (raw: Json) => Json | undefined, raw: Json | undefined): Json | undefined {
  return raw === undefined ? undefined : fact(raw);
}
