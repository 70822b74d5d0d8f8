// A simulated server as a run sees it: by FHIR for the partner, by its control for the judge, who reads its store and its journal.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { FaultRule } from '../../src/sandbox/faults.ts';
import { oracleTenant } from '../../src/sandbox/vendors/oracle/tenant.ts';
import { type Declared, declaredIn } from '../support/declared.ts';

export const vendorNames = ['standard', 'epic', 'oracle'] as const;
export type VendorName = (typeof vendorNames)[number];

export const fhirPaths: Readonly<Record<VendorName, string>> = {
  standard: '/standard/fhir/R4',
  epic: '/epic/api/FHIR/R4',
  oracle: `/oracle/r4/${oracleTenant}`,
};

export const identifierSystem = 'https://agency.example.org/casebridge';

/** The partner's requests say so in their header `user-agent`. */
export const partnerAgent = 'partner';

export interface Write {
  readonly resourceType: string;
  readonly id: string;
  readonly kind: string;
}

/** One request that reached the server. */
export interface Entry {
  readonly n: number;
  readonly at: string;
  readonly method: string;
  /** Below the FHIR base, without the query: `Task/12`, `Patient`, '' for the base itself. Elsewhere the whole path, with its `/`. */
  readonly path: string;
  readonly status: number;
  readonly isPartner: boolean;
  /** Of the send that it belongs to; '' for a read. */
  readonly sendId: string;
  /** It carries If-Match, or is a transaction whose updates do. */
  readonly hasVersionTag: boolean;
  /** It carries If-None-Exist. */
  readonly isConditional: boolean;
  readonly body: Json | undefined;
  /** Versions that came into being. */
  readonly writes: readonly Write[];
}

export class Simulated {
  readonly name: VendorName;
  readonly base: string;
  readonly #control: string;

  constructor(url: string, name: VendorName) {
    this.name = name;
    this.base = `${url}${fhirPaths[name]}`;
    this.#control = `${url}/_control/${name}`;
  }

  async configure(settings: JsonObject): Promise<void> {
    await this.control('POST', 'settings', settings);
  }

  async seed(bundle: JsonObject): Promise<void> {
    await this.control('POST', 'seed', bundle);
  }

  async setFaults(rules: readonly FaultRule[]): Promise<void> {
    await this.control('POST', 'faults', rules);
  }

  /** How many requests the present rules have struck. */
  async struck(): Promise<number> {
    const rules = objects(await this.control('GET', 'faults'));
    return rules.reduce((sum, { fired }) => sum + Number(fired), 0);
  }

  /** The requests after the first `after`. */
  async journal(after = 0): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let from = after; ; ) {
      const page = objects(await this.control('GET', `journal?after=${from}&limit=${journalPage}`));
      entries.push(...page.map((entry) => readEntry(entry, fhirPaths[this.name])));
      if (page.length < journalPage) return entries;
      from += page.length;
    }
  }

  /** Everything that it holds, by type, each in its newest version. */
  async store(): Promise<Record<string, JsonObject[]>> {
    const counts = await this.control('GET', 'resources');
    const types = isObject(counts) ? Object.keys(counts) : [];
    const lists = await Promise.all(
      types.map(async (type) => [type, objects(await this.control('GET', `resources/${type}`))] as const),
    );
    return Object.fromEntries(lists);
  }

  /** What it says that it can do. */
  async declared(): Promise<Declared> {
    const { body } = await this.fhir('GET', 'metadata');
    return declaredIn(body);
  }

  /** Whether it says that it takes transactions, and creates Provenance conditionally by a tag. */
  async takesProvenance(): Promise<boolean> {
    const { body } = await this.fhir('GET', 'metadata');
    const [rest] = objects(body.rest);
    const resource = objects(rest?.resource).find(({ type }) => type === 'Provenance');
    return (
      objects(rest?.interaction).some(({ code }) => code === 'transaction') &&
      resource?.conditionalCreate === true &&
      objects(resource.searchParam).some(({ name }) => name === '_tag')
    );
  }

  /** The partner's request. @throws when the connection breaks, or what comes is no JSON */
  async fhir(
    method: string,
    path: string,
    body?: JsonObject,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; body: JsonObject; etag: string | undefined }> {
    const response = await fetch(`${this.base}/${path}`, {
      method,
      headers: {
        'user-agent': partnerAgent,
        accept: 'application/fhir+json',
        'content-type': 'application/fhir+json',
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    const value: Json = text === '' ? {} : JSON.parse(text);
    return {
      status: response.status,
      body: isObject(value) ? value : {},
      etag: response.headers.get('etag') ?? undefined,
    };
  }

  async control(method: string, path: string, body?: unknown): Promise<Json> {
    const response = await fetch(`${this.#control}/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
}

const journalPage = 2_000;

function readEntry(entry: JsonObject, fhirPath: string): Entry {
  const headers = isObject(entry.requestHeaders) ? entry.requestHeaders : {};
  const [pathname = ''] = String(entry.url).split('?');
  return {
    n: Number(entry.n),
    at: String(entry.at),
    method: String(entry.method),
    path: pathname.startsWith(fhirPath) ? pathname.slice(fhirPath.length + 1) : pathname,
    status: Number(entry.status),
    isPartner: headers['user-agent'] === partnerAgent,
    sendId: String(headers['x-request-id'] ?? ''),
    hasVersionTag: headers['if-match'] !== undefined || JSON.stringify(entry.requestBody ?? '').includes('"ifMatch"'),
    isConditional: headers['if-none-exist'] !== undefined,
    body: entry.requestBody,
    writes: objects(entry.writes).map(({ resourceType, id, kind }) => ({
      resourceType: String(resourceType),
      id: String(id),
      kind: String(kind),
    })),
  };
}

export function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The FHIR requests that are not the partner's. */
export function oursOf(journal: readonly Entry[]): Entry[] {
  return journal.filter(({ isPartner, path }) => !isPartner && !path.startsWith('/'));
}

/** The value of our identifier on a resource. */
export function ownValue({ identifier }: JsonObject): string | undefined {
  const all = Array.isArray(identifier) ? identifier : [identifier];
  const own = all.find((one) => isObject(one) && one.system === identifierSystem);
  return isObject(own) && typeof own.value === 'string' ? own.value : undefined;
}

/** What we sent, by the resource that it became; requests that changed nothing are left out. */
export function writtenBy({ body, writes }: Entry): { readonly write: Write; readonly resource: JsonObject }[] {
  if (writes.length === 0) return [];
  // A transaction lists its writes in the order of its entries; one that changed nothing is not among them.
  const left = [...writes];
  return resourcesOf(body).flatMap((resource) => {
    const at = left.findIndex(
      ({ resourceType, id }) =>
        resourceType === resource.resourceType && (resource.id === undefined || resource.id === id),
    );
    const [write] = at < 0 ? [] : left.splice(at, 1);
    return write === undefined ? [] : [{ write, resource }];
  });
}

/** Those in a request's body: itself, or what a Bundle carries. */
export function resourcesOf(body: Json | undefined): JsonObject[] {
  if (!isObject(body)) return [];
  return body.resourceType === 'Bundle'
    ? objects(body.entry).flatMap(({ resource }) => (isObject(resource) ? [resource] : []))
    : [body];
}

/** What is in a document. */
export function documentText({ content }: JsonObject): string {
  const texts = objects(content).map(({ attachment }) =>
    isObject(attachment) ? Buffer.from(String(attachment.data), 'base64').toString('utf8') : '',
  );
  return texts.join('\n');
}
