// The token endpoint (E1-E6): client_credentials with private_key_jwt only, strict about the assertion, silent about what is wrong with it.
// Key sets fetched from a client are kept for a while. Tokens and key sets age by the server's clock; assertions are judged by the
// real time, which is the client's too, plus the skew of the settings.

import { randomUUID } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { VirtualClock } from '../../clock.ts';
import { jsonReply, type Reply, type SandboxRequest } from '../../exchange.ts';
import type { RegisteredClient, TokenAuthority } from '../../tokens/authority.ts';
import { explodedScopes, type Rights, rightsOf } from './grants.ts';
import { type EpicSettings, hasQuirk } from './settings.ts';

type TokenError = 'invalid_request' | 'invalid_client' | 'unauthorized_client' | 'unsupported_grant_type';

class TokenRefusal extends Error {
  readonly error: TokenError;

  constructor(error: TokenError) {
    super(error);
    this.name = 'TokenRefusal';
    this.error = error;
  }
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384'];
const longestAssertionSeconds = 300;
const longestId = 151;
const fetchTimeoutMs = 5_000;

export class EpicTokens implements Pick<TokenAuthority, 'register' | 'list' | 'expireAll'> {
  readonly #clock: VirtualClock;
  readonly #clients = new Map<string, RegisteredClient>();
  readonly #tokens = new Map<string, { expires: number; rights: Rights }>();
  /** Ids of used assertions with the second in which they expire. */
  readonly #usedIds = new Map<string, number>();
  readonly #keySets = new Map<string, { keys: JSONWebKeySet; until: number }>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  register(clients: readonly RegisteredClient[]): void {
    for (const client of clients) {
      this.#clients.set(client.clientId, client);
      this.#keySets.delete(client.clientId);
    }
  }

  list(): { clientId: string; scopes: readonly string[] }[] {
    return [...this.#clients.values()].map(({ clientId, scopes }) => ({ clientId, scopes }));
  }

  /** What a token allows, undefined when it is unknown or has expired. */
  rightsOf(token: string): Rights | undefined {
    const found = this.#tokens.get(token);
    return found !== undefined && found.expires > this.#clock.now() ? found.rights : undefined;
  }

  expireAll(): number {
    const count = this.#tokens.size;
    this.#tokens.clear();
    return count;
  }

  clear(): void {
    this.#clients.clear();
    this.#tokens.clear();
    this.#usedIds.clear();
    this.#keySets.clear();
  }

  /** @param tokenUrl the endpoint as the client sees it, which the assertion must name */
  async answer(request: SandboxRequest, tokenUrl: string, settings: EpicSettings): Promise<Reply> {
    try {
      const client = await this.#authenticate(readForm(request, settings), tokenUrl, settings);
      if (settings.unmappedUser) throw new TokenRefusal('unauthorized_client');
      const scopes = explodedScopes(client.scopes, settings);
      const token = randomUUID();
      this.#tokens.set(token, { expires: this.#clock.now() + settings.tokenSeconds * 1000, rights: rightsOf(scopes) });
      return tokenReply(200, {
        access_token: token,
        token_type: 'bearer',
        expires_in: settings.tokenSeconds,
        scope: (hasQuirk(settings, 'E6') ? scopes : client.scopes).join(' '),
      });
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error;
      return tokenReply(400, { error: error.error, error_description: null });
    }
  }

  async #authenticate(form: URLSearchParams, tokenUrl: string, settings: EpicSettings): Promise<RegisteredClient> {
    const assertion = form.get('client_assertion');
    if (form.get('client_assertion_type') !== assertionType || assertion === null) {
      throw new TokenRefusal('invalid_request');
    }
    try {
      const client = this.#clients.get(decodeJwt(assertion).iss ?? '');
      if (client === undefined) throw new TokenRefusal('invalid_client');
      const now = Math.floor(Date.now() / 1000) + settings.clockSkewSeconds;
      const { payload } = await jwtVerify(assertion, createLocalJWKSet(await this.#keysOf(client, settings)), {
        algorithms,
        currentDate: new Date(now * 1000),
      });
      if (hasQuirk(settings, 'E2')) this.#check(payload, client, tokenUrl, now);
      return client;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new TokenRefusal('invalid_client');
    }
  }

  /** @throws TokenRefusal for an assertion that is genuine and yet not as the vendor wants it */
  #check({ sub, aud, exp, iat, nbf, jti }: JWTPayload, client: RegisteredClient, tokenUrl: string, now: number): void {
    const starts = [iat, nbf].filter((time) => time !== undefined);
    const isWell =
      sub === client.clientId &&
      aud === tokenUrl &&
      typeof jti === 'string' &&
      jti.length > 0 &&
      jti.length <= longestId &&
      !this.#usedIds.has(jti) &&
      exp !== undefined &&
      exp <= now + longestAssertionSeconds &&
      starts.every((time) => time <= now && exp - time <= longestAssertionSeconds);
    if (!isWell) throw new TokenRefusal('invalid_client');
    for (const [used, until] of this.#usedIds) if (until < now) this.#usedIds.delete(used);
    this.#usedIds.set(jti, exp);
  }

  async #keysOf(client: RegisteredClient, settings: EpicSettings): Promise<JSONWebKeySet> {
    if (client.jwks !== undefined) return client.jwks;
    if (client.jwksUrl === undefined) throw new TokenRefusal('invalid_client');
    const known = this.#keySets.get(client.clientId);
    if (hasQuirk(settings, 'E3') && known !== undefined && known.until > this.#clock.now()) return known.keys;
    const keys = await fetchKeys(client.jwksUrl);
    this.#keySets.set(client.clientId, { keys, until: this.#clock.now() + settings.jwksCacheSeconds * 1000 });
    return keys;
  }
}

/** The parameters are in a form body; in JSON or in the URL only where the vendor's rule is off. */
function readForm(request: SandboxRequest, settings: EpicSettings): URLSearchParams {
  const isForm = request.method === 'POST' && request.mediaType === 'application/x-www-form-urlencoded';
  if (!isForm && hasQuirk(settings, 'E1')) throw new TokenRefusal('invalid_request');
  const form = isForm ? new URLSearchParams(request.text) : new URLSearchParams(request.url.search);
  const json: unknown = isForm ? undefined : request.json?.value;
  for (const [name, value] of Object.entries(json ?? {})) form.set(name, String(value));
  const grant = form.get('grant_type');
  if (grant === null) throw new TokenRefusal('invalid_request');
  if (grant !== 'client_credentials') throw new TokenRefusal('unsupported_grant_type');
  return form;
}

/** @throws TokenRefusal when there is no key set at the URL */
async function fetchKeys(url: string): Promise<JSONWebKeySet> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs) });
    const body: unknown = await response.json();
    if (response.ok && isKeySet(body)) return body;
  } catch {
    // Not reachable, or no JSON: to the client it is the same as a wrong key.
  }
  throw new TokenRefusal('invalid_client');
}

function isKeySet(body: unknown): body is JSONWebKeySet {
  return typeof body === 'object' && body !== null && 'keys' in body && Array.isArray(body.keys);
}

function tokenReply(status: number, body: unknown): Reply {
  const reply = jsonReply(status, body);
  return { ...reply, headers: { ...reply.headers, 'cache-control': 'no-store', pragma: 'no-cache' } };
}
