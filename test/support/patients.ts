// The builders' Rosa as the patient of a server.

import type { JsonObject } from '../../src/json.ts';

/** Where the link of Rosa's client record to her patient is kept. */
export const rosasSlot = 'client/client-rosa#patient';

/** The number that her record has of her at the hospital. */
export const mrn = { system: 'urn:oid:1.2.3', value: 'MRN-20417' };

/** As a hospital may store it, with leading spaces (E18). */
export const paddedMrn = { ...mrn, value: '     MRN-20417' };

/** A patient who is called and was born as her record says, and is known by nothing else: without any number. */
export function rosa(id = 'rosa', overrides: JsonObject = {}): JsonObject {
  const plain: JsonObject = {
    resourceType: 'Patient',
    id,
    name: [{ family: 'Delgado', given: ['Rosa'] }],
    birthDate: '1984-06-17',
    gender: 'female',
  };
  return { ...plain, ...overrides };
}

/** Rosa as a hospital has her on file, with a number of its own. */
export const rosaOnFile: JsonObject = rosa('rosa', {
  active: true,
  identifier: [paddedMrn],
  name: [{ use: 'official', family: 'Delgado', given: ['Rosa', 'Maria'] }],
});
