// In whose chart a resource is.

import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';

/** Where resources say whom they are about. */
export const patientElements: readonly string[] = ['subject', 'patient', 'for', 'beneficiary'];

/**
 * The server's id of the patient whom a resource is about; a Patient is about itself.
 * @param baseUrl references to another server name nobody here; absent: only relative ones count
 */
export function patientOf(resource: JsonObject, baseUrl?: string): string | undefined {
  if (resource.resourceType === 'Patient') return textAt(resource, 'id');
  const named = [
    ...patientElements.map((element) => objectAt(resource, element)),
    ...objectsAt(resource, 'participant').map((participant) => objectAt(participant, 'actor')),
  ];
  for (const reference of named) {
    const id = patientId(textAt(reference, 'reference'), baseUrl);
    if (id !== undefined) return id;
  }
  return undefined;
}

/** The id in a reference to a Patient of this server. */
export function patientId(reference: string | undefined, baseUrl?: string): string | undefined {
  const [, server, id] =
    /^(?:(https?:\/\/.+)\/)?Patient\/([A-Za-z0-9._-]{1,128})(?:\/_history\/.*)?$/.exec(reference?.trim() ?? '') ?? [];
  return server === undefined || server === baseUrl ? id : undefined;
}
