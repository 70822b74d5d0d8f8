// The parts of one simulated FHIR server and what passes between them. The engine is synchronous: a request is handled from beginning to end
// without another one in between, so a transaction cannot interleave with anything.

import type { HttpMethod } from '@medplum/fhir-router';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { VirtualClock } from '../clock.ts';
import type { Definitions, SearchParameterFact } from './definitions.ts';
import type { SearchView } from './search-view.ts';
import type { Store, Version } from './store.ts';

/** How the server differs from the specification's ideal; the defaults are the ideal. */
export interface EngineSettings {
  /** Whether POST to the base takes transaction and batch Bundles. */
  transactions: boolean;
  /** Whether If-None-Exist counts; where not, it is ignored. */
  conditionalCreate: boolean;
  /** Whether resources have version ids, ETags and a history. */
  versions: boolean;
  /** Types that are changed by JSON Patch only: PUT is neither declared nor taken. */
  patchOnlyTypes: readonly string[];
  /** Milliseconds until a search sees a write, If-None-Exist included. */
  searchLagMs: number;
  /** Milliseconds for which the same search gives the same list of resources. */
  searchCacheMs: number;
  /** Search parameters that are not offered, as `Task.owner`. */
  hiddenSearchParameters: readonly string[];
}

export const idealSettings: EngineSettings = {
  transactions: true,
  conditionalCreate: true,
  versions: true,
  patchOnlyTypes: [],
  searchLagMs: 0,
  searchCacheMs: 0,
  hiddenSearchParameters: [],
};

export interface Engine {
  readonly definitions: Definitions;
  readonly store: Store;
  readonly view: SearchView;
  readonly clock: VirtualClock;
  readonly settings: EngineSettings;
  /** Results of earlier searches by query, used while `searchCacheMs` lasts. */
  readonly searchCache: Map<string, { until: number; ids: readonly string[] }>;
}

/** Actions of SMART scopes: create, read, update, delete, search. */
export type Action = 'c' | 'r' | 'u' | 'd' | 's';

export interface FhirCall {
  method: HttpMethod;
  /** Below the base, without a slash at the start: `Task/1`. */
  path: string;
  query: readonly (readonly [name: string, value: string])[];
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  body?: Json;
  /** URL of the server, without a slash at the end. */
  base: string;
  may(resourceType: string, action: Action): boolean;
  /** Set for an entry of a transaction. */
  plan?: { assignedId?: string; planned: ReadonlySet<string> };
}

export interface Answer {
  status: number;
  body?: JsonObject;
  /** The version that the answer is about: it gives ETag and Last-Modified. */
  version?: Version;
  /** True where the answer says where the version is. */
  located?: boolean;
}

/** The search parameters that the server offers for a type. */
export function offeredParameters(engine: Engine, resourceType: string): ReadonlyMap<string, SearchParameterFact> {
  const all = engine.definitions.searchParameters(resourceType);
  const hidden = engine.settings.hiddenSearchParameters;
  if (hidden.length === 0) return all;
  return new Map([...all].filter(([code]) => !hidden.includes(`${resourceType}.${code}`)));
}

/** The version as this server shows it: without version id where it keeps no versions. */
export function shown(engine: Engine, version: Version): JsonObject {
  const resource = version.resource ?? {};
  if (engine.settings.versions || !isObject(resource.meta)) return resource;
  const { versionId: _versionId, ...meta } = resource.meta;
  return { ...resource, meta };
}
