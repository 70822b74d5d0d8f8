// One text for one value, so that equal content has an equal hash; and the identities that are made from a record's key.

import { createHash } from 'node:crypto';
import { v5 } from 'uuid';
import type { Json } from '../json.ts';

/** JSON with sorted keys and no white space: equal values give equal text, whatever the order of their keys. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) {
    return `[${value.map(canonicalJson).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** SHA-256 of the canonical JSON, in hex. */
export function contentHash(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** The value of the identifier that each resource of ours carries: `source/type/id#slot`. */
export function identifierValue(key: { source: string; type: string; id: string }, slot: string): string {
  return `${key.source}/${key.type}/${key.id}#${slot}`;
}

/** The resource's deterministic fullUrl: a UUIDv5 of its identifier value, in a namespace made from the identifier system. */
export function fullUrl(identifierSystem: string, value: string): string {
  return `urn:uuid:${v5(value, namespaceOf(identifierSystem))}`;
}

const namespaces = new Map<string, string>();

/** Made once: a process has one identifier system. */
function namespaceOf(identifierSystem: string): string {
  const namespace = namespaces.get(identifierSystem) ?? v5(identifierSystem, v5.URL);
  namespaces.set(identifierSystem, namespace);
  return namespace;
}
