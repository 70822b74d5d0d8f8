// Whether a resource may be stored: base R4 structure and invariants by @medplum/core, required codes by the value sets, and references to this
// server by looking whether the target is here.

import { isResource, OperationOutcomeError, type TypedValueWithPath, validateResource } from '@medplum/core';
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { Definitions } from './definitions.ts';
import type { Issue } from './outcome.ts';

/** What is wrong with a resource by base R4; empty when nothing is. */
export function structureIssues(definitions: Definitions, resource: JsonObject): Issue[] {
  const candidate: unknown = resource;
  if (!isResource(candidate)) return [{ code: 'structure', text: 'This is no resource.' }];
  const tokens: Record<string, TypedValueWithPath[]> = {};
  try {
    validateResource(candidate, { collect: { tokens } });
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    return error.outcome.issue.filter(({ severity }) => severity !== 'warning').map(toIssue);
  }
  return [
    ...emptyIssues(resource, String(resource.resourceType)),
    ...Object.entries(tokens).flatMap(([valueSet, values]) => codeIssues(definitions, valueSet, values)),
  ];
}

/** FHIR has no empty texts, lists and objects; @medplum/core lets some pass. */
function emptyIssues(value: Json | undefined, path: string): Issue[] {
  if (typeof value !== 'object' || value === null) {
    return value === '' ? [{ code: 'structure', text: 'An element must not be empty.', expression: path }] : [];
  }
  const children = Array.isArray(value)
    ? value.map((item, index): [string, Json] => [`${path}[${index}]`, item])
    : Object.entries(value).map(([key, child]): [string, Json] => [`${path}.${key}`, child]);
  if (children.length === 0) return [{ code: 'structure', text: 'An element must not be empty.', expression: path }];
  return children.flatMap(([childPath, child]) => emptyIssues(child, childPath));
}

function toIssue({ code, details, expression }: OperationOutcomeIssue): Issue {
  const [path] = expression ?? [];
  return { code, text: details?.text ?? 'The resource is invalid.', ...(path !== undefined && { expression: path }) };
}

/** Checks `code` elements only: the required bindings of other types in R4 name code systems that the definitions do not list. */
function codeIssues(definitions: Definitions, valueSet: string, values: readonly TypedValueWithPath[]): Issue[] {
  const codes = definitions.codesOf(valueSet);
  if (codes === undefined) return [];
  return values
    .filter(({ type, value }) => type === 'code' && !codes.has(String(value)))
    .map(({ path }) => ({
      code: 'code-invalid',
      text: `The code is not in the required value set ${valueSet.split('|')[0]}.`,
      expression: path,
    }));
}

/**
 * References that point to this server but to nothing on it, and urn:uuid references, which mean nothing outside a transaction.
 * @param exists whether `Type/id` is here
 * @param base URL of this server
 */
export function referenceIssues(
  definitions: Definitions,
  resource: JsonObject,
  base: string,
  exists: (resourceType: string, id: string) => boolean,
): Issue[] {
  const issues: Issue[] = [];
  for (const { path, reference } of referencesIn(resource, String(resource.resourceType))) {
    if (reference.startsWith('urn:uuid:')) {
      issues.push({ code: 'not-found', text: 'No entry of the transaction has this fullUrl.', expression: path });
      continue;
    }
    const target = localTarget(definitions, reference, base);
    if (target !== undefined && !exists(target.resourceType, target.id)) {
      issues.push({
        code: 'not-found',
        text: `There is no ${target.resourceType}/${target.id} on this server.`,
        expression: path,
      });
    }
  }
  return issues;
}

/** Type and id of a literal reference to this server, undefined for any other reference. */
export function localTarget(
  definitions: Definitions,
  reference: string,
  base: string,
): { resourceType: string; id: string } | undefined {
  const relative = reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  const match = /^([A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]+)?$/.exec(relative);
  const [, resourceType = '', id = ''] = match ?? [];
  return definitions.types.has(resourceType) ? { resourceType, id } : undefined;
}

/** Every `reference` in a resource, with its path. */
export function* referencesIn(value: Json | undefined, path: string): Generator<{ path: string; reference: string }> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* referencesIn(item, `${path}[${index}]`);
  } else if (isObject(value)) {
    for (const [key, child] of Object.entries(value)) {
      if (key === 'reference' && typeof child === 'string') yield { path: `${path}.reference`, reference: child };
      else yield* referencesIn(child, `${path}.${key}`);
    }
  }
}
