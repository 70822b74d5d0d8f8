// SMART system scopes, v1 (`system/Task.read`) and v2 (`system/Task.rs`): what one covers, and whether one covers another
// (https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html). Scopes narrowed by a query are not offered.

interface Scope {
  resourceType: string;
  actions: string;
}

const version1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

function parseScope(text: string): Scope | undefined {
  const match = /^system\/([A-Za-z]+|\*)\.(read|write|\*|c?r?u?d?s?)$/.exec(text);
  const [, resourceType, grant] = match ?? [];
  if (resourceType === undefined || grant === undefined || grant === '') return undefined;
  return { resourceType, actions: version1[grant] ?? grant };
}

/** Whether any of the scopes allows the action on the type; `*` asks for all types. */
export function scopesAllow(scopes: readonly string[], resourceType: string, action: string): boolean {
  return scopes.some((text) => {
    const scope = parseScope(text);
    return (
      scope !== undefined &&
      (scope.resourceType === '*' || scope.resourceType === resourceType) &&
      scope.actions.includes(action)
    );
  });
}

/** The asked scopes that the registered ones cover wholly; the others are dropped. */
export function grantedScopes(asked: readonly string[], registered: readonly string[]): string[] {
  return asked.filter((text) => {
    const scope = parseScope(text);
    return (
      scope !== undefined && [...scope.actions].every((action) => scopesAllow(registered, scope.resourceType, action))
    );
  });
}
