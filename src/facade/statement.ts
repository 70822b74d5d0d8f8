// The CapabilityStatement and the SMART configuration of the interface for partners, made from the table of what it offers.
// FHIR R4 capabilitystatement.html; SMART App Launch 2.2 conformance.html.

import { partnerScopes } from '../config.ts';
import { signingAlgorithms } from '../connections/connections.ts';
import type { JsonObject } from '../json.ts';
import { offers } from './offers.ts';

export interface Addresses {
  /** Of the interface, without a slash at the end. */
  readonly base: string;
  /** Of the token endpoint. */
  readonly token: string;
}

const interactions = { create: 'create', read: 'read', update: 'update', search: 'search-type' } as const;

export function capabilityStatement({ base, token }: Addresses): JsonObject {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-01-01',
    kind: 'instance',
    software: { name: 'Casebridge' },
    implementation: { description: 'Referrals for the partners that they are made to', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'application/json'],
    rest: [
      {
        mode: 'server',
        documentation:
          'A partner sees the referrals that are made to it and what they speak of, and nothing else. A Task is changed with If-Match, by the moves of its performer.',
        security: {
          service: [
            {
              coding: [
                { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' },
              ],
            },
          ],
          extension: [
            {
              url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
              extension: [{ url: 'token', valueUri: token }],
            },
          ],
        },
        resource: Object.entries(offers).map(([type, { actions, parameters }]) => ({
          type,
          interaction: actions.map((action) => ({ code: interactions[action] })),
          versioning: 'versioned-update',
          readHistory: false,
          updateCreate: false,
          conditionalCreate: actions.includes('create'),
          conditionalUpdate: false,
          searchParam: parameters.map(({ code, type: kind }) => ({ name: code, type: kind })),
        })),
      },
    ],
  };
}

export function smartConfiguration({ token }: Addresses): JsonObject {
  return {
    token_endpoint: token,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: [...signingAlgorithms].sort().reverse(),
    scopes_supported: [...partnerScopes],
    capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  };
}
