// The `oracle` server of a sandbox for one test file, reached by HTTP only, with builders of bodies that it takes.

import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';

/** Tests look into answers of any shape. */
export type Parsed = ReturnType<typeof JSON.parse>;

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
  /** Undefined where the text is no JSON. */
  body: Parsed;
}

export interface Options {
  body?: unknown;
  headers?: Record<string, string>;
}

export const tenant = '7f1c2a5e-4d0b-4f3a-9c56-2b8e6f0d1a34';

export interface Oracle {
  /** Such as http://127.0.0.1:1234/oracle/r4/7f1c…. */
  readonly base: string;
  readonly origin: string;
  readonly tokenUrl: string;
  /** A request below the FHIR base, or to an absolute URL; Accept is application/fhir+json unless a header says otherwise. */
  fhir(method: string, path: string, options?: Options): Promise<Answered>;
  control(method: string, path: string, body?: unknown): Promise<Answered>;
  /** Changes settings; a test fails where they are refused. */
  set(settings: Record<string, unknown>): Promise<void>;
  seed(...resources: Parsed[]): Promise<void>;
  /** The id of what a POST has made, from its Location. */
  created(resource: Parsed): Promise<string>;
  /** The newest version in the store, without the vendor's rules. */
  stored(type: string, id: string): Promise<Parsed>;
}

/** Starts the sandbox before all tests of a file and resets the server before each; requests need no token unless a test says so. */
export function useOracle(auth: 'none' | 'token' = 'none'): Oracle {
  let sandbox: Sandbox | undefined;
  const origin = () => sandbox?.url ?? '';
  const base = () => `${origin()}/oracle/r4/${tenant}`;
  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0 });
  });
  afterAll(async () => {
    await sandbox?.stop();
  });
  const fhir: Oracle['fhir'] = (method, path, options = {}) => {
    const url = path.startsWith('http') ? path : path === '' ? base() : `${base()}/${path}`;
    return send(method, url, { ...options, headers: { accept: 'application/fhir+json', ...options.headers } });
  };
  const control: Oracle['control'] = (method, path, body) =>
    send(method, `${origin()}/_control/oracle/${path}`, body === undefined ? {} : { body });
  const demanded = async (method: string, path: string, body?: unknown) => {
    const answer = await control(method, path, body);
    if (answer.status !== 200) throw new Error(answer.text);
    return answer;
  };
  const set = async (settings: Record<string, unknown>) => {
    await demanded('POST', 'settings', settings);
  };
  beforeEach(async () => {
    await demanded('POST', 'reset');
    await set({ auth });
  });
  return {
    get base() {
      return base();
    },
    get origin() {
      return origin();
    },
    get tokenUrl() {
      return `${origin()}/oracle/tenants/${tenant}/protocols/oauth2/profiles/smart-v1/token`;
    },
    fhir,
    control,
    set,
    async seed(...resources) {
      await demanded('POST', 'seed', resources);
    },
    async created(resource) {
      const answer = await fhir('POST', resource.resourceType, { body: resource });
      if (answer.status !== 201) throw new Error(`Not created: ${answer.text}`);
      return answer.headers.get('location')?.split('/').at(-1) ?? '';
    },
    async stored(type, id) {
      const { body } = await demanded('GET', `resources/${type}`);
      return body.find((resource: Parsed) => resource.id === id);
    },
  };
}

async function send(method: string, url: string, { body, headers = {} }: Options): Promise<Answered> {
  const content = typeof body === 'string' ? body : JSON.stringify(body);
  const type = body === undefined ? {} : { 'content-type': 'application/fhir+json' };
  const response = await fetch(url, {
    method,
    headers: { ...type, ...headers },
    ...(content !== undefined && { body: content }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}

/** An invented person as the server holds one; every field may be replaced. */
export function aPatient(change: Parsed = {}): Parsed {
  return {
    resourceType: 'Patient',
    id: 'p1',
    active: true,
    identifier: [{ system: 'urn:oid:2.16.840.1.113883.3.9999.2.1', value: 'OR0000001' }],
    name: [{ use: 'official', family: 'Ødegård-Lim', given: ['Noémie', 'Rae'] }],
    gender: 'female',
    birthDate: '1984-02-29',
    ...change,
  };
}

export function anEncounter(change: Parsed = {}): Parsed {
  return {
    resourceType: 'Encounter',
    id: 'e1',
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject: { reference: 'Patient/p1' },
    period: { start: '2026-03-01T08:00:00Z' },
    ...change,
  };
}

/** The attachment of a document, from its body's markup. */
export function xhtml(body: string): string {
  const page = `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Plan</title></head><body>${body}</body></html>`;
  return base64(page);
}

export function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** A document that the server takes; every field may be replaced. */
export function aDocument(change: Parsed = {}): Parsed {
  return {
    resourceType: 'DocumentReference',
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '18776-5' }] },
    subject: { reference: 'Patient/p1' },
    content: [
      {
        attachment: {
          contentType: 'application/xhtml+xml;charset=utf-8',
          title: 'Community care plan',
          data: xhtml('<p>Food twice a week.</p>'),
        },
      },
    ],
    context: { period: { end: '2026-03-02T10:00:00Z' } },
    ...change,
  };
}

/** Ids of the matches on a page. */
export function idsOf({ body }: Answered): string[] {
  const entries: Parsed[] = body.entry ?? [];
  return entries.filter(({ search }) => search.mode === 'match').map(({ resource }) => resource.id);
}

/** The URL of the next page. */
export function nextOf({ body }: Answered): string | undefined {
  return body.link.find(({ relation }: Parsed) => relation === 'next')?.url;
}

/** What the first issue of an outcome says. */
export function textOf({ body }: Answered): string {
  return body.issue[0].details.text;
}
