// Puts resources into a simulated server as if they had always been there: ids kept, same ids replaced, no profile, code or reference checked,
// because real servers hold what they hold. Version and lastUpdated are the server's own; set its clock to date them.

import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { Engine } from '../engine/engine.ts';
import type { SandboxRequest } from '../exchange.ts';
import type { SimulatedServer } from '../serve.ts';
import { InvalidControl } from './check-body.ts';

interface Seed {
  resource: JsonObject;
  fullUrl?: string;
  /** `Type/id` of a PUT entry. */
  url?: string;
}

interface Identified {
  resourceType: string;
  id: string;
  resource: JsonObject;
}

/** @throws InvalidControl naming the first entry that is no resource; nothing is stored then */
export function seed(
  { engine }: SimulatedServer,
  request: SandboxRequest,
): { seeded: number; byType: Record<string, number> } {
  const references = new Map<string, string>();
  const identified = readSeeds(request).map((item, index) => {
    const found = identify(engine, item, index);
    if (item.fullUrl?.startsWith('urn:')) references.set(item.fullUrl, `${found.resourceType}/${found.id}`);
    return found;
  });
  const { written } = engine.store.transact(() => {
    for (const { resourceType, id, resource } of identified) {
      engine.store.write(resourceType, id, resolved(resource, references), 'PUT', engine.clock.now());
    }
  });
  engine.view.publish(written, engine.clock.now(), 0);
  const byType: Record<string, number> = {};
  for (const { resourceType } of identified) byType[resourceType] = (byType[resourceType] ?? 0) + 1;
  return { seeded: identified.length, byType };
}

function identify(engine: Engine, { resource, fullUrl, url }: Seed, index: number): Identified {
  const { resourceType } = resource;
  if (typeof resourceType !== 'string' || !engine.definitions.types.has(resourceType)) {
    throw new InvalidControl(`Resource ${index + 1} has no resourceType that this server keeps.`);
  }
  const uuid = fullUrl?.startsWith('urn:uuid:') ? fullUrl.slice('urn:uuid:'.length) : undefined;
  const id = resource.id ?? url?.split('/')[1] ?? uuid ?? engine.store.unusedId(resourceType);
  if (typeof id !== 'string' || !/^[A-Za-z0-9.-]{1,64}$/.test(id)) {
    throw new InvalidControl(`Resource ${index + 1} has an id that R4 does not allow.`);
  }
  return { resourceType, id, resource };
}

function readSeeds(request: SandboxRequest): Seed[] {
  const body = request.json?.value ?? lines(request.text);
  if (Array.isArray(body)) return body.map((item, index) => ({ resource: asObject(item, index) }));
  const whole = asObject(body, 0);
  if (whole.resourceType !== 'Bundle') return [{ resource: whole }];
  const { entry: entries = [] } = whole;
  if (!Array.isArray(entries)) throw new InvalidControl('The entry of the Bundle must be a list of {resource}.');
  return entries.map((entry, index) => readEntry(asObject(entry, index), index));
}

function readEntry(entry: JsonObject, index: number): Seed {
  const request = isObject(entry.request) ? entry.request : {};
  return {
    resource: asObject(entry.resource, index),
    ...(typeof entry.fullUrl === 'string' && { fullUrl: entry.fullUrl }),
    ...(request.method === 'PUT' && typeof request.url === 'string' && { url: request.url }),
  };
}

/** NDJSON, empty lines left out. */
function lines(text: string): Json[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      try {
        return JSON.parse(line);
      } catch {
        throw new InvalidControl(`Line ${index + 1} is no JSON.`);
      }
    });
}

function asObject(value: Json | undefined, index: number): JsonObject {
  if (isObject(value)) return value;
  throw new InvalidControl(`Resource ${index + 1} is no JSON object.`);
}

function resolved(resource: JsonObject, references: ReadonlyMap<string, string>): JsonObject {
  const replace = (key: string, value: Json): Json => {
    if (typeof value === 'string') return key === 'reference' ? (references.get(value) ?? value) : value;
    if (Array.isArray(value)) return value.map((item) => replace(key, item));
    return isObject(value) ? replaceIn(value) : value;
  };
  const replaceIn = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, replace(key, value)]));
  return references.size === 0 ? resource : replaceIn(resource);
}
