// What the server says of itself: a CapabilityStatement without versions, patch and system interactions, and the SMART configuration. It
// declares by type what the vendor grants by parts of a type, so it promises too much (a ServiceRequest can be created, says it).

import type { JsonObject } from '../../../json.ts';
import type { Action } from '../../engine/engine.ts';
import { declaredOffers, type Offer } from './offer.ts';
import type { EpicSettings } from './settings.ts';

const interactions: Readonly<Record<Action, string>> = {
  c: 'create',
  r: 'read',
  u: 'update',
  s: 'search-type',
  d: 'delete',
};
const securityServices = 'http://terminology.hl7.org/CodeSystem/restful-security-service';

/**
 * @param base URL of the server as the client sees it
 * @param date ISO instant of the server's start
 */
export function epicStatement(
  settings: EpicSettings,
  { base, tokenUrl, date }: { base: string; tokenUrl: string; date: string },
): JsonObject {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date,
    kind: 'instance',
    instantiates: ['http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server|6.1.0'],
    software: { name: 'Epic', version: 'May 2026', releaseDate: '2026-05-11' },
    implementation: { description: 'Simulated FHIR server `epic`', url: base },
    fhirVersion: '4.0.1',
    format: ['xml', 'json'],
    rest: [
      {
        mode: 'server',
        security: {
          extension: [
            {
              extension: [{ url: 'token', valueUri: tokenUrl }],
              url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
            },
          ],
          cors: true,
          service: ['OAuth', 'SMART-on-FHIR', 'Basic'].map((code) => ({
            coding: [{ system: securityServices, code, display: code }],
            text: code,
          })),
        },
        resource: declaredOffers(settings).map(([type, offer]) => typeStatement(settings, type, offer)),
      },
    ],
  };
}

function typeStatement(settings: EpicSettings, type: string, { actions, search }: Offer): JsonObject {
  const offersMatch = type === 'Patient' && !settings.undeclaredInteractions.includes('Patient.match');
  return {
    type,
    interaction: actions.map((action) => ({ code: interactions[action] })),
    readHistory: false,
    updateCreate: false,
    conditionalCreate: false,
    conditionalRead: 'not-supported',
    conditionalUpdate: false,
    conditionalDelete: 'not-supported',
    ...(actions.includes('s') && {
      searchInclude: ['*'],
      searchRevInclude: ['Provenance:target'],
      searchParam: [
        ...Object.entries(search).map(([name, kind]) => ({ name, type: kind })),
        { name: '_count', type: 'number', documentation: 'Number of results per page.' },
        {
          name: '_id',
          type: 'token',
          documentation: 'Resource ids. Parameters beside _id, _count and _include are ignored.',
        },
      ],
    }),
    ...(offersMatch && {
      operation: [{ name: 'match', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-match' }],
    }),
  };
}

/** As the vendor publishes it: how assertions are to be signed is not said. */
export function epicSmartConfiguration(origin: string, tokenUrl: string) {
  return {
    issuer: `${origin}/epic/oauth2`,
    authorization_endpoint: `${origin}/epic/oauth2/authorize`,
    token_endpoint: tokenUrl,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    scopes_supported: ['fhirUser', 'launch', 'openid', 'profile'],
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    capabilities: [
      'launch-ehr',
      'launch-standalone',
      'client-public',
      'client-confidential-symmetric',
      'client-confidential-asymmetric',
      'context-ehr-patient',
      'permission-offline',
      'permission-patient',
      'permission-user',
      'permission-v1',
      'permission-v2',
      'sso-openid-connect',
    ],
  };
}
