// The FHIR server of the bench: the sandbox as a process of its own, and what it holds.

import { isObject, type Json, type JsonObject } from '../src/json.ts';

export class Server {
  readonly fhirUrl: string;
  readonly #control: string;

  constructor(url: string) {
    this.fhirUrl = `${url}/standard/fhir/R4`;
    this.#control = `${url}/_control/standard`;
  }

  async reset(): Promise<void> {
    await this.#call('POST', 'reset');
  }

  /** All that it holds, in the order in which it was made. */
  async resources(): Promise<JsonObject[]> {
    const types = Object.keys(objectOf(await this.#call('GET', 'resources')));
    const all = await Promise.all(types.map(async (type) => listOf(await this.#call('GET', `resources/${type}`))));
    return all.flat().toSorted((one, other) => Number(one.id) - Number(other.id));
  }

  /** Requests by what they are: `GET`, `POST`, …. */
  async requests(): Promise<Record<string, number>> {
    const entries = listOf(await this.#call('GET', 'journal'));
    const byMethod = Object.groupBy(entries, ({ method }) => String(method));
    return Object.fromEntries(Object.entries(byMethod).map(([method, group]) => [method, group?.length ?? 0]));
  }

  async #call(method: string, path: string): Promise<Json> {
    const response = await fetch(`${this.#control}/${path}`, { method });
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}`);
    const text = await response.text();
    return text === '' ? null : JSON.parse(text);
  }
}

function listOf(value: Json): JsonObject[] {
  if (!Array.isArray(value)) throw new Error('a list was expected');
  return value.filter(isObject);
}

function objectOf(value: Json): JsonObject {
  if (!isObject(value)) throw new Error('an object was expected');
  return value;
}
