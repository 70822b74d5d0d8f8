// What a token may allow of what is asked for: never more than the client's registration, nor than the interface for partners offers.
// SMART App Launch 2.2 scopes-and-launch-context.html, both spellings.

import { type Action, allowedActions, parseScope } from '../connections/connections.ts';

const letters: readonly (readonly [string, Action])[] = [
  ['c', 'create'],
  ['r', 'read'],
  ['u', 'update'],
  ['d', 'delete'],
  ['s', 'search'],
];

/**
 * A scope that is covered wholly is granted as it was written; one that asks for more is narrowed to what is covered, type by type.
 * @param offered the types of the interface
 */
export function grantedScopes(
  asked: readonly string[],
  allowed: readonly string[],
  offered: readonly string[],
): string[] {
  const granted = asked.flatMap((text) => {
    const scope = parseScope(text);
    if (scope === undefined || scope.filter !== undefined) return [];
    const types = scope.resourceType === '*' ? offered : offered.filter((type) => type === scope.resourceType);
    const covered = types.map((type) => {
      const may = allowedActions(allowed, type);
      return letters.flatMap(([letter, action]) => (scope.actions.has(action) && may.has(action) ? [letter] : []));
    });
    const isWhole = types.length > 0 && covered.every((one) => one.length === scope.actions.size);
    if (isWhole) return [text];
    return types.flatMap((type, at) => {
      const own = covered[at] ?? [];
      return own.length === 0 ? [] : [`system/${type}.${own.join('')}`];
    });
  });
  return [...new Set(granted)];
}
