// Literal references as R4 defines them (https://hl7.org/fhir/R4/references.html#literal).

import { isResourceType } from './elements.ts';

export interface ParsedReference {
  readonly resourceType: string;
  readonly id: string;
  /** From `/_history/{version}`. */
  readonly version?: string;
}

const literal =
  /^(?:(https?:\/\/.+)\/)?([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;

/** What an id of a resource may be in R4. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9.-]{1,64}$/.test(text);
}

/**
 * The resource a literal reference names: 'Patient/123', an absolute URL, either with `/_history/{version}`.
 * Undefined for fragments, urn:uuid, unknown types, and, where `baseUrl` is given, for a URL on another server.
 */
export function parseReference(reference: string, baseUrl?: string): ParsedReference | undefined {
  const [whole, server, resourceType, id, version] = literal.exec(reference) ?? [];
  if (whole === undefined || resourceType === undefined || id === undefined || !isResourceType(resourceType)) {
    return undefined;
  }
  if (server !== undefined && baseUrl !== undefined && server !== baseUrl.replace(/\/+$/, '')) {
    return undefined;
  }
  return { resourceType, id, ...(version !== undefined && { version }) };
}
