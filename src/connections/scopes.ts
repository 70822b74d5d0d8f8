// SMART scopes of a backend client, in the spelling of version 1 (system/Patient.read) and version 2 (system/Patient.cruds?…).
// SMART App Launch 2.2 scopes-and-launch-context.html.

import type { ScopeVersion } from '../config.ts';

export type Action = 'create' | 'read' | 'update' | 'delete' | 'search';

export interface Scope {
  /** A FHIR type, or '*'. */
  readonly resourceType: string;
  readonly actions: ReadonlySet<Action>;
  /** The search to which the grant is limited, as in `category=…`. */
  readonly filter?: string;
}

const letters: Readonly<Record<string, Action>> = {
  c: 'create',
  r: 'read',
  u: 'update',
  d: 'delete',
  s: 'search',
};

const version1: Readonly<Record<string, readonly Action[]>> = {
  read: ['read', 'search'],
  write: ['create', 'update', 'delete'],
  '*': ['create', 'read', 'update', 'delete', 'search'],
};

/** A system scope; undefined for any other, or for text that is none: it grants a backend client nothing. */
export function parseScope(text: string): Scope | undefined {
  const [, resourceType, permission, filter] = /^system\/([A-Za-z]+|\*)\.(\*|[a-z]+)(?:\?(.+))?$/.exec(text) ?? [];
  if (resourceType === undefined || permission === undefined) {
    return undefined;
  }
  const actions = version1[permission] ?? [...permission].map((letter) => letters[letter]);
  const known = actions.filter((action) => action !== undefined);
  if (known.length < actions.length) {
    return undefined;
  }
  return { resourceType, actions: new Set(known), ...(filter !== undefined && { filter: decoded(filter) }) };
}

function decoded(filter: string): string {
  try {
    return decodeURIComponent(filter);
  } catch {
    return filter;
  }
}

/**
 * What all scopes together allow on a type. A grant that is limited to a search counts only for what lies within that very search:
 * `filter` names it, as in `category=system|code`. One for vital signs is none for surveys.
 */
export function allowedActions(scopes: readonly string[], resourceType: string, filter?: string): ReadonlySet<Action> {
  const found = scopes.map(parseScope).filter((scope) => {
    const isOfType = scope?.resourceType === resourceType || scope?.resourceType === '*';
    return isOfType && (scope.filter === undefined || scope.filter === filter);
  });
  return new Set(found.flatMap((scope) => [...(scope?.actions ?? [])]));
}

/** Those of `wanted` of which some action is not granted. */
export function missingScopes(wanted: readonly string[], granted: readonly string[]): string[] {
  return wanted.filter((text) => {
    const scope = parseScope(text);
    if (scope === undefined) {
      return !granted.includes(text);
    }
    const allowed = allowedActions(granted, scope.resourceType, scope.filter);
    return [...scope.actions].some((action) => !allowed.has(action));
  });
}

/** Grants that are limited to a search, as granted: what they let through is less than their type. */
export function filteredScopes(granted: readonly string[]): string[] {
  return granted.filter((text) => parseScope(text)?.filter !== undefined);
}

/**
 * Scopes in the spelling that a server takes. Version 1 knows neither single actions nor filters: a scope then asks for the reading or
 * the writing that holds it. Deleting is never asked for. What is no system scope stays as it is.
 */
export function spellScopes(scopes: readonly string[], version: ScopeVersion): string[] {
  return [...new Set(scopes.flatMap((text) => spell(text, version)))];
}

function spell(text: string, version: ScopeVersion): string[] {
  const scope = parseScope(text);
  if (scope === undefined) {
    return [text];
  }
  const asked = Object.entries(letters).filter(([letter, action]) => letter !== 'd' && scope.actions.has(action));
  if (version === 'v2') {
    const filter = scope.filter === undefined ? '' : `?${scope.filter}`;
    return asked.length === 0
      ? []
      : [`system/${scope.resourceType}.${asked.map(([letter]) => letter).join('')}${filter}`];
  }
  const permissions = asked.map(([letter]) => (letter === 'r' || letter === 's' ? 'read' : 'write'));
  return permissions.map((permission) => `system/${scope.resourceType}.${permission}`);
}
