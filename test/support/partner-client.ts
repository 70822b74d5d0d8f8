// A partner's system, written with plain fetch: it signs assertions, asks for tokens, and speaks FHIR.

import { randomUUID } from 'node:crypto';
import { importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';
import { generateKey } from '../../src/connections/connections.ts';
import { isObject, type JsonObject } from '../../src/json.ts';

export interface FhirAnswer {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Headers;
}

export interface AssertionParts {
  readonly claims?: JWTPayload;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: JWK;
  /** Seconds from now. */
  readonly livesFor?: number;
}

/** The address under which the gateway is known; requests go to where it listens. */
export const publicUrl = 'https://casebridge.example.org';

export class PartnerClient {
  readonly id: string;
  readonly #url: string;
  readonly #key: JWK;
  #token: string | undefined;

  /** @param url where the gateway listens */
  constructor(url: string, id: string, key: JWK) {
    this.#url = url;
    this.id = id;
    this.#key = key;
  }

  /** The same system, and its token, where the gateway listens now. */
  at(url: string): PartnerClient {
    const moved = new PartnerClient(url, this.id, this.#key);
    moved.#token = this.#token;
    return moved;
  }

  async assertion({ claims = {}, header = {}, key = this.#key, livesFor = 60 }: AssertionParts = {}): Promise<string> {
    const alg = key.alg ?? 'ES384';
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: this.id,
      sub: this.id,
      aud: `${publicUrl}/oauth/token`,
      exp: now + livesFor,
      jti: randomUUID(),
      ...claims,
    };
    return new SignJWT(payload)
      .setProtectedHeader({ alg, kid: key.kid ?? '', typ: 'JWT', ...header })
      .sign(await importJWK(key, alg));
  }

  async askToken(form: Readonly<Record<string, string>>): Promise<FhirAnswer> {
    const response = await fetch(`${this.#url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    return read(response);
  }

  /** Asks for a token with a good assertion. */
  async tokenFor(scope: string, parts: AssertionParts = {}): Promise<FhirAnswer> {
    return this.askToken(await this.tokenForm(scope, parts));
  }

  async tokenForm(scope: string, parts: AssertionParts = {}): Promise<Record<string, string>> {
    return {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await this.assertion(parts),
      scope,
    };
  }

  /** With a token for these scopes from here on. */
  async signIn(scope = 'system/*.cruds'): Promise<this> {
    const { body } = await this.tokenFor(scope);
    this.#token = String(body.access_token);
    return this;
  }

  async fhir(
    method: string,
    path: string,
    body?: JsonObject | string,
    headers: Record<string, string> = {},
  ): Promise<FhirAnswer> {
    const response = await fetch(`${this.#url}/fhir/R4/${path}`, {
      method,
      headers: {
        accept: 'application/fhir+json',
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { 'content-type': 'application/fhir+json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return read(response);
  }

  async search(query: string): Promise<JsonObject[]> {
    const { body, status } = await this.fhir('GET', query);
    if (status !== 200) throw new Error(`${query} was answered ${status}: ${JSON.stringify(body)}`);
    return (Array.isArray(body.entry) ? body.entry : []).flatMap((entry) =>
      isObject(entry) && isObject(entry.resource) ? [entry.resource] : [],
    );
  }

  /** Reads the resource, changes it and puts it back. */
  async change(path: string, edit: (resource: JsonObject) => JsonObject): Promise<FhirAnswer> {
    const { body, headers } = await this.fhir('GET', path);
    return this.fhir('PUT', path, edit(body), { 'if-match': headers.get('etag') ?? '' });
  }
}

async function read(response: Response): Promise<FhirAnswer> {
  const text = await response.text();
  const body: unknown = text === '' ? {} : JSON.parse(text);
  return { status: response.status, body: isJsonObject(body) ? body : {}, headers: response.headers };
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key pair of a partner: what it keeps, and what it publishes. */
export async function partnerKey(algorithm: 'ES384' | 'RS384' = 'ES384'): Promise<{ key: JWK; published: JWK }> {
  const key = await generateKey(algorithm);
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...published } = key;
  return { key, published };
}
