// `{first: [...]}`: the first of several sources that the record has. The way back goes to the alternative that can hold the value.

import type { Json } from '../../json.ts';
import { type Lens, replaceUnlessSame, sameJson, blindRun } from '../lens.ts';

export function firstLens(alternatives: readonly Lens[]): Lens {
  const fact = (raw: Json): Json | undefined => {
    for (const lens of alternatives) {
      const known = lens.fact(raw);
      if (known !== undefined) {
        return known;
      }
    }
    return undefined;
  };
  const self: Lens = {
    constant: alternatives.every(({ constant }) => constant),
    twoWay: alternatives.some(({ twoWay }) => twoWay),
    present: (scope, run) => alternatives.some((lens) => lens.present(scope, run)),
    project: (scope, run) => {
      // An alternative that is not present may still have something to report.
      for (const lens of alternatives) {
        const isPresent = lens.present(scope, run);
        const value = lens.project(scope, run);
        if (isPresent) {
          return value;
        }
      }
      return undefined;
    },
    fact,
    claims: (raw) => alternatives.some((lens) => lens.claims(raw)),
    put: (raw, old) => {
      const holder = raw === undefined ? undefined : alternatives.find((lens) => lens.fact(raw) !== undefined);
      return holder && old !== undefined ? holder.put(raw, old) : replaceUnlessSame(self, raw, old);
    },
    absorb: (raw, draft, run) => {
      const current = alternatives.find((lens) => lens.present(draft, run));
      const blind = blindRun(run.linked);
      const projected = current?.project(draft, blind);
      // What stands already is no news; and what another record may say cannot be told from news here.
      if (blind.unknown || sameJson(factOf(fact, projected), factOf(fact, raw))) {
        return;
      }
      const holder = raw === undefined ? undefined : alternatives.find((lens) => accepts(lens, raw));
      if (current && current !== holder && current.twoWay) {
        current.absorb(undefined, draft, run);
      }
      holder?.absorb(raw, draft, run);
    },
  };
  return self;
}

function accepts(lens: Lens, raw: Json): boolean {
  return lens.twoWay && !lens.constant && lens.fact(raw) !== undefined;
}

function factOf(fact: (raw: Json) => Json | undefined, raw: Json | undefined): Json | undefined {
  return raw === undefined ? undefined : fact(raw);
}
