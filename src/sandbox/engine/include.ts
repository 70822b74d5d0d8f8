// What `_include` and `_revinclude` add to a page of matches, each resource once.

import type { Engine } from './engine.ts';
import type { IncludeRule } from './search-request.ts';
import type { Version } from './store.ts';

/** The included versions without the matches themselves; `:iterate` rules follow what was included as well. */
export function included(engine: Engine, matches: readonly Version[], rules: readonly IncludeRule[]): Version[] {
  const seen = new Set(matches.map(reference));
  const found: Version[] = [];
  let from = matches;
  let active = rules;
  while (from.length > 0 && active.length > 0) {
    const next: Version[] = [];
    for (const version of active.flatMap((rule) => follow(engine, rule, from))) {
      if (seen.has(reference(version))) continue;
      seen.add(reference(version));
      next.push(version);
    }
    found.push(...next);
    from = next;
    active = rules.filter(({ iterate }) => iterate);
  }
  return found;
}

function follow(engine: Engine, rule: IncludeRule, from: readonly Version[]): Version[] {
  if (rule.direction === 'forward') {
    return from
      .filter(({ resourceType }) => resourceType === rule.source)
      .flatMap((version) => engine.view.values(rule.parameter, version))
      .flatMap((value) => {
        const [type = '', id = ''] = value.kind === 'reference' ? (value.reference?.split('/') ?? []) : [];
        return rule.target === undefined || rule.target === type ? (engine.view.get(type, id) ?? []) : [];
      });
  }
  const keys = from.filter(({ resourceType }) => (rule.target ?? resourceType) === resourceType).map(reference);
  const wanted = new Set<string | undefined>(keys);
  const { parameter } = rule;
  const test = (values: ReturnType<Engine['view']['values']>) =>
    values.some((value) => value.kind === 'reference' && value.reference !== undefined && wanted.has(value.reference));
  return engine.view.find(rule.source, [{ parameter, keys, test }]);
}

function reference({ resourceType, id }: Version): string {
  return `${resourceType}/${id}`;
}
