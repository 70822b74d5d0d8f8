// The CapabilityStatement: only what is really served under the present settings.

import type { JsonObject } from '../../json.ts';
import { type Engine, offeredParameters } from './engine.ts';

export interface Publication {
  name: string;
  base: string;
  /** ISO instant of the server's start. */
  date: string;
  /** Token endpoint; present when access is controlled by tokens. */
  tokenUrl?: string;
}

export function capabilityStatement(engine: Engine, publication: Publication): JsonObject {
  const { settings, definitions } = engine;
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: publication.date,
    kind: 'instance',
    software: { name: 'Casebridge sandbox' },
    implementation: { description: publication.name, url: publication.base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    patchFormat: ['application/json-patch+json'],
    rest: [
      {
        mode: 'server',
        ...(publication.tokenUrl !== undefined && { security: security(publication.tokenUrl) }),
        resource: [...definitions.types].toSorted().map((type) => resourceCapability(engine, type)),
        ...(settings.transactions && { interaction: [{ code: 'transaction' }, { code: 'batch' }] }),
      },
    ],
  };
}

function resourceCapability(engine: Engine, type: string): JsonObject {
  const { versions, conditionalCreate } = engine.settings;
  const takesPut = !engine.settings.patchOnlyTypes.includes(type);
  const interactions = [
    'read',
    'create',
    ...(takesPut ? ['update'] : []),
    'patch',
    'delete',
    'search-type',
    ...(versions ? ['vread', 'history-instance'] : []),
  ];
  const parameters = [...offeredParameters(engine, type).values()];
  const references = parameters
    .filter((parameter) => parameter.type === 'reference')
    .map(({ code }) => `${type}:${code}`);
  return {
    type,
    interaction: interactions.map((code) => ({ code })),
    versioning: versions ? 'versioned' : 'no-version',
    readHistory: versions,
    updateCreate: takesPut,
    conditionalCreate,
    conditionalRead: 'not-supported',
    conditionalUpdate: takesPut,
    conditionalDelete: 'not-supported',
    referencePolicy: ['literal', 'logical', 'enforced', 'local'],
    ...(references.length > 0 && { searchInclude: references }),
    ...(parameters.length > 0 && {
      searchParam: parameters.map(({ code, type: kind }) => ({ name: code, type: kind })),
    }),
  };
}

function security(tokenUrl: string): JsonObject {
  const system = 'http://terminology.hl7.org/CodeSystem/restful-security-service';
  return {
    service: [{ coding: [{ system, code: 'SMART-on-FHIR' }] }],
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [{ url: 'token', valueUri: tokenUrl }],
      },
    ],
  };
}
