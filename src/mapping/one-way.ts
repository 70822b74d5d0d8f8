// Lenses without a way back, and lenses that read somewhere else: the wrappers that modifiers of a rule become.

import type { Json } from '../json.ts';
import type { Condition } from './condition.ts';
import { addIssue, blindly, holdsNoNews, type Lens, type Run, sameJson } from './lens.ts';
import type { Scope } from './scope.ts';
import type { ProjectContext } from './types.ts';

/** The lens, with nothing coming back. With `at`, the rule, what would have to come back is an issue. */
export function oneWay(lens: Lens, at?: string): Lens {
  return {
    ...lens,
    twoWay: false,
    stands: undefined,
    agrees: undefined,
    absorb: (raw, draft, run) => {
      const blind = blindly(run);
      const ours = lens.project(draft, blind);
      if (at !== undefined && !blind.unknown && !sameJson(factOf(lens, raw), factOf(lens, ours))) {
        addIssue(run, 'left-out', 'The other side has changed what only goes out of the record.', at);
      }
    },
  };
}

/** The lens, reading another scope: a referred record, or the first matching item of a list. Never two-way. */
export function elsewhere(
  lens: Lens,
  scopeOf: (scope: Scope, context?: ProjectContext) => Scope | undefined,
  held: (scope: Scope) => boolean,
): Lens {
  const { present, project } = lens;
  return oneWay({
    ...lens,
    present: (scope, run) => {
      if (!run.context || run.blind) {
        return held(scope);
      }
      const other = scopeOf(scope, run.context);
      return other !== undefined && present(other, run);
    },
    project: (scope, run) => {
      const other = scopeOf(scope, run.context);
      run.unknown ||= run.blind && other === undefined && held(scope);
      return other && project(other, run);
    },
  });
}

/** The lens where the condition holds; nothing elsewhere. With `report`, what is left out is an issue. */
export function conditional(lens: Lens, condition: Condition, options: { at: string; report?: string }): Lens {
  const { present, project } = lens;
  return {
    ...lens,
    optional: true,
    quiet: lens.quiet === true && options.report === undefined,
    present: (scope, run) => condition(scope, run.context) && present(scope, run),
    project: (scope, run) => {
      if (condition(scope, run.context)) {
        return project(scope, run);
      }
      if (options.report !== undefined && present(scope, run)) {
        addIssue(run, 'left-out', options.report, options.at, scope.pointer || undefined);
      }
      return undefined;
    },
    stands: (raw, draft, run) =>
      condition(draft, run.context)
        ? holdsNoNews(lens, raw, draft, run)
        : raw === undefined || !lens.twoWay || lens.fact(raw) === undefined,
    absorb: (raw, draft, run) => {
      if (condition(draft, run.context)) {
        lens.absorb(raw, draft, run);
      } else if (raw !== undefined && lens.fact(raw) !== undefined && lens.twoWay) {
        addIssue(run, 'left-out', 'The record is in a state that has no place for this.', options.at);
      }
    },
  };
}

/** The common parts of lenses on single values. */
export function presentWhen(read: (scope: Scope) => Json | undefined): (scope: Scope, run: Run) => boolean {
  return (scope) => read(scope) !== undefined;
}

function factOf(lens: Lens, raw: Json | undefined): Json | undefined {
  return raw === undefined ? undefined : lens.fact(raw);
}
