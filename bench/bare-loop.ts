// The peer: no records, no store, no mapping. Prebuilt resources go to the same server, as many at a time, one request each. The server
// wants to know what a reference points at, so the resources are made in layers, each pointing at the layers before it.

import { Agent } from 'node:http';
import axios from 'axios';
import type { JsonObject } from '../src/json.ts';

/** POSTs the resources of each layer. @returns the reference of each on the server, by the one that it had before */
export async function createAll(
  fhirUrl: string,
  layers: readonly (readonly JsonObject[])[],
  concurrency: number,
): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  for (const layer of layers) {
    await overAll(layer, concurrency, fhirUrl, async (client, resource) => {
      const { id: _id, meta: _meta, ...body } = pointed(resource, made);
      const reply = await client.post(`/${resource.resourceType}`, body);
      made.set(nameOf(resource), `${resource.resourceType}/${reply.data.id}`);
    });
  }
  return made;
}

/** PUTs the resources over those that `createAll` made of them. */
export async function updateAll(
  fhirUrl: string,
  resources: readonly JsonObject[],
  made: ReadonlyMap<string, string>,
  concurrency: number,
): Promise<void> {
  await overAll(resources, concurrency, fhirUrl, async (client, resource) => {
    const { meta: _meta, ...body } = pointed(resource, made);
    const place = made.get(nameOf(resource)) ?? '';
    await client.put(`/${place}`, { ...body, id: place.split('/')[1] });
  });
}

/** The resources in layers, each of which points only at layers before it. */
export function layersOf(resources: readonly JsonObject[]): JsonObject[][] {
  const names = new Set(resources.map(nameOf));
  const placed = new Set<string>();
  const layers: JsonObject[][] = [];
  for (let left = [...resources]; left.length > 0; ) {
    const isReady = (resource: JsonObject) =>
      referencesOf(resource).every((name) => !names.has(name) || placed.has(name));
    const { ready: layer = [], waiting = [] } = Object.groupBy(left, (one) => (isReady(one) ? 'ready' : 'waiting'));
    if (layer.length === 0) throw new Error('the resources point at each other in a circle');
    layers.push(layer);
    left = waiting;
    for (const resource of layer) placed.add(nameOf(resource));
  }
  return layers;
}

function nameOf({ resourceType, id }: JsonObject): string {
  return `${resourceType}/${id}`;
}

function referencesOf(resource: JsonObject): string[] {
  return [...JSON.stringify(resource).matchAll(/"reference":"([^"]+)"/g)].map(([, reference]) => reference ?? '');
}

function pointed(resource: JsonObject, made: ReadonlyMap<string, string>): JsonObject {
  return JSON.parse(JSON.stringify(resource), (name, value) =>
    name === 'reference' ? (made.get(value) ?? value) : value,
  );
}

type Client = ReturnType<typeof axios.create>;

async function overAll(
  resources: readonly JsonObject[],
  concurrency: number,
  baseURL: string,
  write: (client: Client, resource: JsonObject) => Promise<void>,
): Promise<void> {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const client = axios.create({ baseURL, httpAgent, headers: { 'content-type': 'application/fhir+json' } });
  const waiting = resources.values();
  const worker = async () => {
    for (const resource of waiting) await write(client, resource);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  httpAgent.destroy();
}
