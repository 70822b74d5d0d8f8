// The token endpoint of SMART backend services (https://hl7.org/fhir/smart-app-launch/backend-services.html): client_credentials with
// private_key_jwt (RS384, ES384) or a client secret. Tokens age by the server's clock; assertions are checked against the real
// time, which is the client's too.

import { randomUUID } from 'node:crypto';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { VirtualClock } from '../clock.ts';
import { jsonReply, type Reply, type SandboxRequest } from '../exchange.ts';
import { grantedScopes } from './scopes.ts';

export interface RegisteredClient {
  clientId: string;
  /** Public keys, inline or where to fetch them. */
  jwks?: JSONWebKeySet;
  jwksUrl?: string;
  /** For HTTP Basic. */
  secret?: string;
  scopes: string[];
}

export type TokenError = 'invalid_request' | 'invalid_client' | 'invalid_scope' | 'unsupported_grant_type';

class TokenRefusal extends Error {
  readonly error: TokenError;

  constructor(error: TokenError, description: string) {
    super(description);
    this.name = 'TokenRefusal';
    this.error = error;
  }
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const longestAssertionSeconds = 300;
const clockSkewSeconds = 5;

export class TokenAuthority {
  readonly #clock: VirtualClock;
  readonly #clients = new Map<string, RegisteredClient>();
  readonly #tokens = new Map<string, { expires: number; scopes: readonly string[] }>();
  /** Ids of used assertions with the second in which they expire. */
  readonly #usedIds = new Map<string, number>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  register(clients: readonly RegisteredClient[]): void {
    for (const client of clients) this.#clients.set(client.clientId, client);
  }

  /** Registered clients without secrets and keys. */
  list(): { clientId: string; scopes: readonly string[] }[] {
    return [...this.#clients.values()].map(({ clientId, scopes }) => ({ clientId, scopes }));
  }

  /** The scopes of a token, undefined when it is unknown or has expired. */
  scopesOf(token: string): readonly string[] | undefined {
    const found = this.#tokens.get(token);
    return found !== undefined && found.expires > this.#clock.now() ? found.scopes : undefined;
  }

  /** Ends all tokens. @returns how many there were */
  expireAll(): number {
    const count = this.#tokens.size;
    this.#tokens.clear();
    return count;
  }

  clear(): void {
    this.#clients.clear();
    this.#tokens.clear();
    this.#usedIds.clear();
  }

  /**
   * Answers a request to the token endpoint.
   * @param audience URL of the token endpoint
   * @param lifetimeSeconds of the token
   */
  async answer(request: SandboxRequest, audience: string, lifetimeSeconds: number): Promise<Reply> {
    try {
      const form = readForm(request);
      const client = await this.#authenticate(request, form, audience);
      const scopes = scopesFor(client, form.get('scope'));
      const token = randomUUID();
      this.#tokens.set(token, { expires: this.#clock.now() + lifetimeSeconds * 1000, scopes });
      return tokenReply(200, {
        access_token: token,
        token_type: 'bearer',
        expires_in: lifetimeSeconds,
        scope: scopes.join(' '),
      });
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error;
      return tokenReply(400, { error: error.error, error_description: error.message });
    }
  }

  async #authenticate(request: SandboxRequest, form: URLSearchParams, audience: string): Promise<RegisteredClient> {
    const { authorization } = request.headers;
    if (authorization?.startsWith('Basic ')) return this.#bySecret(authorization.slice('Basic '.length));
    if (form.get('client_assertion_type') !== assertionType) {
      throw new TokenRefusal('invalid_request', `client_assertion_type must be ${assertionType}.`);
    }
    const assertion = form.get('client_assertion');
    if (assertion === null) throw new TokenRefusal('invalid_request', 'client_assertion is missing.');
    return this.#byAssertion(assertion, audience);
  }

  #bySecret(credentials: string): RegisteredClient {
    const given = Buffer.from(credentials, 'base64').toString('utf8');
    const client = [...this.#clients.values()].find(({ clientId, secret }) => {
      if (secret === undefined) return false;
      // RFC 6749 2.3.1 wants both parts form-encoded; many clients send them plain.
      return [`${clientId}:${secret}`, `${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`].includes(given);
    });
    if (client === undefined) throw new TokenRefusal('invalid_client', 'The client is unknown or its secret is wrong.');
    return client;
  }

  async #byAssertion(assertion: string, audience: string): Promise<RegisteredClient> {
    try {
      const { iss = '' } = decodeJwt(assertion);
      const client = this.#clients.get(iss);
      if (client === undefined) throw new TokenRefusal('invalid_client', 'No client is registered with this iss.');
      const { payload } = await jwtVerify(assertion, keysOf(client), {
        algorithms: ['RS384', 'ES384'],
        issuer: client.clientId,
        subject: client.clientId,
        audience,
        clockTolerance: clockSkewSeconds,
        requiredClaims: ['exp', 'jti'],
      });
      this.#useOnce(payload.jti ?? '', payload.exp ?? 0);
      return client;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new TokenRefusal('invalid_client', `The assertion is refused: ${error.message}.`);
    }
  }

  #useOnce(id: string, expires: number): void {
    const now = Math.floor(Date.now() / 1000);
    if (expires > now + longestAssertionSeconds + clockSkewSeconds) {
      throw new TokenRefusal('invalid_client', 'The assertion lives longer than 5 minutes.');
    }
    for (const [used, until] of this.#usedIds) if (until + clockSkewSeconds < now) this.#usedIds.delete(used);
    if (this.#usedIds.has(id)) throw new TokenRefusal('invalid_client', 'The jti has been used before.');
    this.#usedIds.set(id, expires);
  }
}

function readForm(request: SandboxRequest): URLSearchParams {
  if (request.mediaType !== 'application/x-www-form-urlencoded') {
    throw new TokenRefusal('invalid_request', 'The body must be application/x-www-form-urlencoded.');
  }
  const form = new URLSearchParams(request.text);
  const grant = form.get('grant_type');
  if (grant === null) throw new TokenRefusal('invalid_request', 'grant_type is missing.');
  if (grant !== 'client_credentials') {
    throw new TokenRefusal('unsupported_grant_type', 'This server gives tokens for client_credentials only.');
  }
  return form;
}

function scopesFor(client: RegisteredClient, asked: string | null): string[] {
  if (asked === null || asked.trim() === '') throw new TokenRefusal('invalid_scope', 'scope is missing.');
  const granted = grantedScopes(asked.trim().split(/\s+/), client.scopes);
  if (granted.length === 0)
    throw new TokenRefusal('invalid_scope', 'None of the scopes is registered for this client.');
  return granted;
}

function keysOf(client: RegisteredClient): JWTVerifyGetKey {
  if (client.jwks !== undefined) return createLocalJWKSet(client.jwks);
  if (client.jwksUrl === undefined) throw new TokenRefusal('invalid_client', 'The client has no keys registered.');
  const remote = createRemoteJWKSet(new URL(client.jwksUrl));
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw error;
      throw new TokenRefusal('invalid_client', 'The keys of the client could not be fetched from its jwksUrl.');
    }
  };
}

function tokenReply(status: number, body: unknown): Reply {
  const reply = jsonReply(status, body);
  return { ...reply, headers: { ...reply.headers, 'cache-control': 'no-store', pragma: 'no-cache' } };
}
