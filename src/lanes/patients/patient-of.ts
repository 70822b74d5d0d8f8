// In whose chart a resource is.

import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';

/** Where resources say whom they are about. */
export const patientElements: readonly string[] = ['subject', 'patient', 'for', 'beneficiary'];

/**
 * The server's id of the patient whom a resource is about; a Patient is about itself. Of several who take part in it, the first.
 * @param baseUrl references to another server name nobody here; absent: only relative ones count
 */
export function patientOf(resource: JsonObject, baseUrl?: string): string | undefined {
  return patientsOf(resource, baseUrl)[0];
}

/** Whom a resource is about: one, unless it is about nobody but those who take part in it. */
export function patientsOf(resource: JsonObject, baseUrl?: string): string[] {
  const idsIn = (references: readonly (JsonObject | undefined)[]) =>
    references.flatMap((reference) => patientId(textAt(reference, 'reference'), baseUrl) ?? []);
  if (resource.resourceType === 'Patient') return typeof resource.id === 'string' ? [resource.id] : [];
  const [about] = idsIn(patientElements.map((element) => objectAt(resource, element)));
  return about === undefined
    ? idsIn(objectsAt(resource, 'participant').map((participant) => objectAt(participant, 'actor')))
    : [about];
}

/** The id in a reference to a Patient of this server. */
export function patientId(reference: string | undefined, baseUrl?: string): string | undefined {
  const [, server, id] =
    /^(?:(https?:\/\/.+)\/)?Patient\/([A-Za-z0-9._-]{1,128})(?:\/_history\/.*)?$/.exec(reference?.trim() ?? '') ?? [];
  return server === undefined || server === baseUrl ? id : undefined;
}
