// What a server declares that it can do: the relevant part of its CapabilityStatement. Absent counts as not offered.
// FHIR R4 capabilitystatement.html; ehr-behaviour section 5.

import { contentHash } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject, objectsIn } from '../json.ts';
import type { FhirClient, FhirReply } from './client.ts';
import type { Fault } from './faults.ts';
import { isOffered, type Vendor } from './vendors/vendor.ts';

export interface Capabilities {
  /** ISO instant of our clock. */
  readonly readAt: string;
  readonly fhirVersion?: string;
  readonly software?: string;
  /** By resource type: 'read', 'search-type', 'create', … */
  readonly interactions: Readonly<Record<string, readonly string[]>>;
  /** By resource type, those of all types included. */
  readonly searchParams: Readonly<Record<string, readonly string[]>>;
  readonly conditionalCreate: Readonly<Record<string, boolean>>;
  readonly transaction: boolean;
  /** By resource type: its resources have version tags. */
  readonly versioned: Readonly<Record<string, boolean>>;
  /** JSON Patch is taken. */
  readonly patch: boolean;
  /** Of all that matters to routes and requests; a new date or software version alone does not change it. */
  readonly hash: string;
}

/** Reads `/metadata`. Gives the reply or fault where that is no CapabilityStatement. */
export async function readCapabilities(client: FhirClient, now: Date): Promise<Capabilities | FhirReply | Fault> {
  const reply = await client.send({ method: 'GET', path: 'metadata' });
  if (reply.fault !== undefined || reply.body === undefined) {
    return reply;
  }
  return parseCapabilities(reply.body, now) ?? reply;
}

/** True for what `readCapabilities` gives when it succeeds. */
export function isCapabilities(result: Capabilities | FhirReply | Fault): result is Capabilities {
  return 'hash' in result;
}

/** In words, why what was answered in place of a CapabilityStatement is none. */
export function whyUnreadable(answer: FhirReply | Fault): string {
  if (answer.fault !== undefined) return answer.text;
  if (answer.unkept !== undefined) return `/metadata cannot be kept: ${answer.unkept.problem}.`;
  const advice = answer.status === 404 || answer.status === 410 ? ' No FHIR server may be there: check baseUrl.' : '';
  return `/metadata answers ${answer.status}.${advice}`;
}

/** True where a resource of the type is changed by JSON Patch, because the server takes no PUT of it. */
export function changesByPatch(
  { interactions, patch }: Capabilities,
  { update }: Pick<Vendor, 'update'>,
  resourceType: string,
): boolean {
  const declared = interactions[resourceType] ?? [];
  return patch && isOffered(update.patch) && declared.includes('patch') && !declared.includes('update');
}

/** True where a resource of the type can be changed once it is there, by PUT or by JSON Patch. */
export function takesChanges(
  capabilities: Capabilities,
  vendor: Pick<Vendor, 'update'>,
  resourceType: string,
): boolean {
  const declared = capabilities.interactions[resourceType] ?? [];
  return declared.includes('update') || changesByPatch(capabilities, vendor, resourceType);
}

/** True where a write of the type names the version that it changes, so that it changes no other. */
export function namesVersions(
  { versioned }: Capabilities,
  { update }: Pick<Vendor, 'update'>,
  resourceType: string,
): boolean {
  if (!isOffered(update.ifMatch)) return false;
  return update.ifMatch.when === 'always' || versioned[resourceType] === true;
}

/** Undefined when `statement` is no CapabilityStatement. Tolerates any shape inside it: what cannot be read is not offered. */
export function parseCapabilities(statement: JsonObject, now: Date): Capabilities | undefined {
  if (statement.resourceType !== 'CapabilityStatement') {
    return undefined;
  }
  const server = objectsIn(statement.rest).find((rest) => rest.mode === 'server' || rest.mode === undefined);
  const forAllTypes = texts(server?.searchParam, 'name');
  const interactions: Record<string, string[]> = {};
  const searchParams: Record<string, string[]> = {};
  const conditionalCreate: Record<string, boolean> = {};
  const versioned: Record<string, boolean> = {};
  for (const resource of objectsIn(server?.resource)) {
    if (typeof resource.type === 'string') {
      const { type } = resource;
      interactions[type] = merged(interactions[type], texts(resource.interaction, 'code'));
      searchParams[type] = merged(searchParams[type], [...forAllTypes, ...texts(resource.searchParam, 'name')]);
      conditionalCreate[type] = conditionalCreate[type] === true || resource.conditionalCreate === true;
      versioned[type] = versioned[type] === true || isVersioned(resource);
    }
  }
  const { fhirVersion, patchFormat } = statement;
  const relevant = {
    interactions,
    searchParams,
    conditionalCreate,
    transaction: texts(server?.interaction, 'code').includes('transaction'),
    versioned,
    patch: Array.isArray(patchFormat) && patchFormat.includes('application/json-patch+json'),
    ...(typeof fhirVersion === 'string' && { fhirVersion }),
  };
  const software = isObject(statement.software) ? statement.software.name : undefined;
  return {
    ...relevant,
    ...(typeof software === 'string' && { software }),
    readAt: now.toISOString(),
    hash: contentHash(relevant),
  };
}

function isVersioned({ versioning }: JsonObject): boolean {
  return versioning === 'versioned' || versioning === 'versioned-update';
}

function merged(before: readonly string[] = [], more: readonly string[]): string[] {
  return [...new Set([...before, ...more])].sort();
}

function texts(value: Json | undefined, member: string): string[] {
  return objectsIn(value)
    .map((object) => object[member])
    .filter((text) => typeof text === 'string');
}
