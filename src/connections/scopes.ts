// SMART scopes of a backend client, in the spelling of version 1 (system/Patient.read) and version 2 (system/Patient.cruds?…).
// SMART App Launch 2.2 scopes-and-launch-context.html.

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
  return { resourceType, actions: new Set(known), ...(filter !== undefined && { filter }) };
}

/** What all scopes together allow on a type. A filtered one counts: the server itself refuses what lies outside the filter. */
export function allowedActions(scopes: readonly string[], resourceType: string): ReadonlySet<Action> {
  const found = scopes
    .map(parseScope)
    .filter((scope) => scope?.resourceType === resourceType || scope?.resourceType === '*');
  return new Set(found.flatMap((scope) => [...(scope?.actions ?? [])]));
}

/** Those of `wanted` of which some action is not granted. */
export function missingScopes(wanted: readonly string[], granted: readonly string[]): string[] {
  return wanted.filter((text) => {
    const scope = parseScope(text);
    if (scope === undefined) {
      return !granted.includes(text);
    }
    const allowed = allowedActions(granted, scope.resourceType);
    return [...scope.actions].some((action) => !allowed.has(action));
  });
}
