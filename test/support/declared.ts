// What a server says that it takes, by its CapabilityStatement, and whether a request is of that.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';

/** Interactions by resource type, operations as `$name`, and `conditional-create`; those of the whole server under ''. */
export type Declared = Readonly<Record<string, readonly string[]>>;

export interface DeclarableRequest {
  readonly method: string;
  /** Below the FHIR base, without the query: `Task/12`, `Patient`, '' for the base itself. */
  readonly path: string;
  readonly body: Json | undefined;
  /** It carries If-None-Exist. */
  readonly isConditional: boolean;
}

export function declaredIn(statement: JsonObject): Declared {
  const [rest] = objects(statement.rest);
  const byType = objects(rest?.resource).map(({ type, interaction, operation, conditionalCreate }) => [
    String(type),
    [
      ...objects(interaction).map(({ code }) => String(code)),
      ...objects(operation).map(({ name }) => `$${String(name)}`),
      ...(conditionalCreate === true ? ['conditional-create'] : []),
    ],
  ]);
  return Object.fromEntries([...byType, ['', objects(rest?.interaction).map(({ code }) => String(code))]]);
}

/** Of a Bundle, whether it and each of its entries is declared. */
export function isDeclared({ method, path, body, isConditional }: DeclarableRequest, declared: Declared): boolean {
  if (path === 'metadata' || path === '.well-known/smart-configuration') return true;
  if (path === '') return method === 'POST' && isBundleDeclared(body, declared);
  const [type = '', second] = path.split('/');
  const interactions: Readonly<Record<string, string>> = {
    GET: second === undefined ? 'search-type' : 'read',
    POST: second?.startsWith('$') ? second : 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: 'delete',
  };
  const offered = declared[type] ?? [];
  return offered.includes(interactions[method] ?? '') && (!isConditional || offered.includes('conditional-create'));
}

function isBundleDeclared(bundle: Json | undefined, declared: Declared): boolean {
  if (!isObject(bundle) || declared['']?.includes(String(bundle.type)) !== true) return false;
  return objects(bundle.entry).every(({ request, resource }) => {
    if (!isObject(request)) return false;
    const [path = ''] = String(request.url).split('?');
    const isConditional = request.ifNoneExist !== undefined;
    return path !== '' && isDeclared({ method: String(request.method), path, body: resource, isConditional }, declared);
  });
}

function objects(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
