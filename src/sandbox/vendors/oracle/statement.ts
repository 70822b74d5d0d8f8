// The CapabilityStatement and the smart-configuration, shaped like the vendor's: no software, a publisher, no versioning and no conditional
// interactions, and a date that is the day's (C30).

import type { JsonObject } from '../../../json.ts';
import { interactionsOf, offeredTypes, typeRules } from './grammar.ts';
import type { Oracle } from './show.ts';

const codes: Readonly<Record<string, string>> = {
  r: 'read',
  s: 'search-type',
  c: 'create',
  u: 'update',
  p: 'patch',
  d: 'delete',
};
const description = 'Simulated FHIR server in the manner of Oracle Health Millennium';

/** @param base URL of the server; @param tokenUrl of its token endpoint */
export function capabilityStatement({ engine, settings }: Oracle, base: string, tokenUrl: string): JsonObject {
  const { omit, claim, padding } = settings.statement;
  const types = new Set([...offeredTypes(settings.interactions), ...Object.keys(claim)]);
  const today = new Date(engine.clock.now()).toISOString().slice(0, 10);
  return {
    resourceType: 'CapabilityStatement',
    url: `${base}/metadata`,
    name: 'OracleHealthCapabilityStatement',
    title: 'Oracle Health Capability Statement',
    status: 'active',
    date: settings.statementDate === 'daily' ? today : settings.statementDate,
    publisher: 'Oracle Health',
    description,
    kind: 'instance',
    instantiates: ['http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server'],
    implementation: { description, url: base },
    fhirVersion: '4.0.1',
    format: ['json', 'application/fhir+json'],
    patchFormat: ['application/json-patch+json'],
    rest: [
      {
        mode: 'server',
        documentation: `${description}${' '.repeat(padding)}`,
        security: security(tokenUrl),
        resource: [...types]
          .filter((type) => !omit.includes(type))
          .toSorted()
          .map((type) => resourceOf(type, claim[type] ?? interactionsOf(type, settings.interactions))),
        interaction: [{ code: 'batch', documentation: 'Implemented per the specification' }],
      },
    ],
  };
}

function resourceOf(type: string, letters: string): JsonObject {
  const search = letters.includes('s') ? typeRules[type]?.search : undefined;
  const params = Object.entries(search?.params ?? {}).map(([name, kind]) => ({
    name,
    ...(!name.startsWith('-') && {
      definition: `http://hl7.org/fhir/SearchParameter/${type}-${name.replace('_', '')}`,
    }),
    type: typeof kind === 'string' ? kind : 'date',
  }));
  const [forward, reverse] = [true, false].map((own) =>
    (search?.includes ?? []).filter((include) => include.startsWith(`${type}:`) === own),
  );
  return {
    type,
    interaction: Object.entries(codes).flatMap(([letter, code]) => (letters.includes(letter) ? [{ code }] : [])),
    ...(letters.includes('u') && { updateCreate: false }),
    ...(forward !== undefined && forward.length > 0 && { searchInclude: forward }),
    ...(reverse !== undefined && reverse.length > 0 && { searchRevInclude: reverse }),
    ...(params.length > 0 && { searchParam: params }),
  };
}

function security(tokenUrl: string): JsonObject {
  const system = 'http://terminology.hl7.org/CodeSystem/restful-security-service';
  return {
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [{ url: 'token', valueUri: tokenUrl }],
      },
    ],
    cors: true,
    service: [{ coding: [{ system, code: 'SMART-on-FHIR' }], text: 'OAuth2 using the SMART on FHIR profile' }],
    description: 'OAuth2 plus SMART extensions',
  };
}

/** Scopes are listed in both spellings, exact per type, as the vendor lists them. */
export function smartConfiguration({ settings }: Oracle, issuer: string, tokenUrl: string): JsonObject {
  return {
    issuer,
    token_endpoint: tokenUrl,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    grant_types_supported: ['client_credentials'],
    scopes_supported: offeredTypes(settings.interactions).flatMap((type) =>
      scopesOf(type, interactionsOf(type, settings.interactions)),
    ),
    response_types_supported: ['code'],
    capabilities: [
      'client-confidential-asymmetric',
      'client-confidential-symmetric',
      ...(settings.scopeSpelling === 'v2' ? [] : ['permission-v1']),
      ...(settings.scopeSpelling === 'v1' ? [] : ['permission-v2']),
    ],
  };
}

function scopesOf(type: string, letters: string): string[] {
  // A patch is an update to SMART.
  const has = (letter: string) => letters.includes(letter) || (letter === 'u' && letters.includes('p'));
  const granted = [...'cruds'].filter(has).join('');
  return [
    `system/${type}.${granted}`,
    ...(/[rs]/.test(granted) ? [`system/${type}.read`] : []),
    ...(/[cud]/.test(granted) ? [`system/${type}.write`] : []),
  ];
}
