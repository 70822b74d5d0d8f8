// What the server makes of what it is sent (E25): times in UTC to the second, codes of its own, elements that it does not keep.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import { hasQuirk } from './settings.ts';
import type { Site } from './site.ts';

type Rewrite = (site: Site, resource: JsonObject) => JsonObject;

const rewrites: Readonly<Record<string, Rewrite>> = {
  // Nothing public shows that what a partner calls a message is kept [sim]: it is told again by what it says.
  Communication: (_site, { identifier: _ours, ...rest }) => rest,
  Condition: (_site, { code, ...rest }) => ({
    ...rest,
    category: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/condition-category',
            code: 'problem-list-item',
            display: 'Problem List Item',
          },
        ],
        text: 'Problem List Item',
      },
    ],
    ...(code !== undefined && { code: withoutText(code) }),
  }),
  DocumentReference: (_site, resource) => ({
    ...resource,
    category: [
      {
        coding: [
          {
            system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
            code: 'clinical-note',
            display: 'Clinical Note',
          },
        ],
        text: 'Clinical Note',
      },
    ],
  }),
  Observation: ({ settings }, { code, ...rest }) => ({
    ...rest,
    ...(code !== undefined && { code: withOwnCoding(code, settings.instance) }),
    performer: [{ display: 'User Interconnect' }],
  }),
};

/** The resource as it will be kept. */
export function storedForm(site: Site, resource: JsonObject): JsonObject {
  if (!hasQuirk(site.settings, 'E25')) return resource;
  const rewritten = rewrites[String(resource.resourceType)]?.(site, resource) ?? resource;
  return resource.resourceType === 'Patient' ? newPatient(site, resource) : inUtc(rewritten);
}

/** Phone, e-mail and social security number are not kept; numbers of the site come in, one of them padded with blanks (E18). */
function newPatient({ settings, engine }: Site, { telecom: _telecom, identifier, ...rest }: JsonObject): JsonObject {
  const number = String(200_001 + [...engine.store.all('Patient')].length);
  const own = [identifier].flat().filter((each) => isObject(each) && !isSocialSecurity(each));
  return {
    ...rest,
    identifier: [
      ...own,
      { use: 'usual', type: { text: 'MRN' }, system: settings.mrnSystem, value: number },
      { use: 'usual', type: { text: 'INTERNAL' }, system: settings.mrnSystem, value: `     ${number}` },
    ].filter((each) => each !== undefined),
  };
}

/** Whether an identifier is a social security number, which is neither kept (E25) nor compared (E19). */
export function isSocialSecurity({ system, type }: JsonObject): boolean {
  const typed = isObject(type) ? [type.coding].flat() : [];
  return (
    system === 'http://hl7.org/fhir/sid/us-ssn' || typed.some((coding) => isObject(coding) && coding.code === 'SS')
  );
}

function withoutText(code: Json): Json {
  if (!isObject(code)) return code;
  const { text: _text, ...rest } = code;
  return rest;
}

function withOwnCoding(code: Json, instance: string): Json {
  if (!isObject(code)) return code;
  const own = { system: `urn:oid:1.2.840.114350.1.13.${instance}.7.2.707679`, code: '5', display: 'Vital sign' };
  return { ...code, coding: [...[code.coding].flat().filter((coding) => coding !== undefined), own] };
}

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function inUtc<T extends Json>(value: T): T;
function inUtc(value: Json): Json {
  if (typeof value === 'string') {
    return dateTime.test(value) ? new Date(value).toISOString().replace(/\.\d+Z$/, 'Z') : value;
  }
  if (Array.isArray(value)) return value.map((each) => inUtc(each));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inUtc(each)]));
}
