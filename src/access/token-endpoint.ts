// Our token endpoint: SMART Backend Services (client_credentials with private_key_jwt) for the systems of partners. An assertion is good for one
// token, whichever process it comes to; tokens live five minutes and are kept by their hash.
// SMART App Launch 2.2 backend-services.html, client-confidential-asymmetric.html; RFC 6749 section 5.2, RFC 7523.

import { createHash, randomBytes } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { sql } from 'kysely';
import type { PartnerClient, PartnerConfig } from '../config.ts';
import { signingAlgorithms } from '../connections/connections.ts';
import type { JsonObject } from '../json.ts';
import type { Store } from '../store/store.ts';
import { keepAudit } from './audit.ts';
import type { ClientKeys } from './client-keys.ts';
import { grantedScopes } from './grants.ts';
import { rateLimit } from './rate-limit.ts';
import { sharedRate } from './shared-rate.ts';

export interface TokenEndpoint {
  /** Answers a form that was posted to the endpoint. */
  answer(form: URLSearchParams, requestId: string): Promise<TokenAnswer>;
  /** Who a token was given to, and what it allows; undefined: it is not ours, or has expired. */
  holderOf(token: string): Promise<TokenHolder | undefined>;
}

export interface TokenAnswer {
  readonly status: 200 | 400 | 429;
  readonly body: JsonObject;
  /** Seconds. */
  readonly retryAfter?: number;
}

export interface TokenHolder {
  readonly partner: PartnerConfig;
  readonly client: PartnerClient;
  readonly scopes: readonly string[];
}

export interface TokenEndpointParts {
  readonly store: Store;
  readonly partners: ReadonlyMap<string, PartnerConfig>;
  /** Address of the endpoint, which assertions must name. */
  readonly audience: string;
  /** Resource types of the interface that tokens are for. */
  readonly offered: readonly string[];
  readonly keys: ClientKeys;
  /** Epoch ms. */
  readonly now: () => number;
}

type OAuthError = 'invalid_request' | 'invalid_client' | 'invalid_scope' | 'unsupported_grant_type' | 'slow_down';

class Refusal extends Error {
  readonly error: OAuthError;
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(error: OAuthError, description: string, retryAfter?: number) {
    super(description);
    this.error = error;
    this.retryAfter = retryAfter;
  }
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const tokenSeconds = 300;
/** Of one client, over all processes. */
const tokensPerMinute = 30;
/** That are kept in the audit, of one client and process: whoever sends rubbish fills no table with it. */
const refusalsPerMinute = 60;
const longestAssertionSeconds = 300;
const clockSkewSeconds = 5;
const longestAssertion = 8_000;

/** The endpoint, and the check of what it gave. */
export function openTokenEndpoint(parts: TokenEndpointParts): TokenEndpoint {
  const holders = new Map(
    [...parts.partners.values()].flatMap((partner) =>
      partner.client === undefined ? [] : [[partner.client.id, { partner, client: partner.client }] as const],
    ),
  );
  const limit = sharedRate(parts.store, 'token', tokensPerMinute);
  const kept = rateLimit(refusalsPerMinute, parts.now);

  /** Under the client that the assertion claims to be of, if there is one; nothing else of what was sent is kept. */
  const auditRefusal = async (form: URLSearchParams, error: OAuthError, requestId: string): Promise<void> => {
    const claimed = issuerOf(form.get('client_assertion') ?? '');
    const id = holders.has(claimed) ? claimed : 'unknown';
    if (kept.take(id) !== undefined) return;
    await keepAudit(parts.store.db, {
      partner: holders.get(claimed)?.partner.id ?? null,
      by: { kind: 'client', id, requestId },
      action: 'token',
      resourceType: 'token',
      ids: [],
      outcome: error,
    });
  };

  const authenticate = async (form: URLSearchParams): Promise<Omit<TokenHolder, 'scopes'>> => {
    const assertion = form.get('client_assertion') ?? '';
    const claimed = readClaims(assertion);
    const holder = holders.get(claimed.issuer);
    if (holder === undefined) throw new Refusal('invalid_client', 'No client is registered with this iss.');
    await verify(parts, holder.client, assertion, claimed);
    // Counted once it is certain whose it is: nobody else can use up a client's share.
    const seconds = await limit.take(holder.client.id);
    if (seconds !== undefined) throw new Refusal('slow_down', `Wait ${seconds} seconds.`, seconds);
    return holder;
  };

  return {
    async answer(form, requestId) {
      try {
        checkForm(form);
        const { partner, client } = await authenticate(form);
        const scopes = scopesFor(parts, client, form.get('scope'));
        const token = await giveToken(parts, client, scopes);
        const by = { kind: 'client', id: client.id, requestId } as const;
        const entry = { partner: partner.id, by, resourceType: 'token', ids: [], outcome: 'done' };
        await keepAudit(parts.store.db, { ...entry, action: 'token' });
        const body = { access_token: token, token_type: 'bearer', expires_in: tokenSeconds, scope: scopes.join(' ') };
        return { status: 200, body };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { retryAfter } = error;
        await auditRefusal(form, error.error, requestId);
        const body = { error: error.error, error_description: error.message };
        return retryAfter === undefined ? { status: 400, body } : { status: 429, body, retryAfter };
      }
    },

    async holderOf(token) {
      const row = await parts.store.db
        .selectFrom('access_token')
        .select(['client', 'scopes'])
        .where('hash', '=', hashOf(token))
        .where('expires_at', '>', sql<Date>`now()`)
        .executeTakeFirst();
      const holder = row && holders.get(row.client);
      return holder && { ...holder, scopes: row.scopes.split(' ') };
    },
  };
}

function checkForm(form: URLSearchParams): void {
  // RFC 6749 3.2.
  const names = [...form.keys()];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new Refusal(
      'invalid_request',
      `${/^\w{1,40}$/.test(twice) ? twice : 'A parameter'} is there more than once.`,
    );
  const grant = form.get('grant_type');
  if (grant === null) throw new Refusal('invalid_request', 'grant_type is missing.');
  if (grant !== 'client_credentials')
    throw new Refusal('unsupported_grant_type', 'This server gives tokens for client_credentials only.');
  if (form.get('client_assertion_type') !== assertionType)
    throw new Refusal('invalid_request', `client_assertion_type must be ${assertionType}.`);
}

interface Claimed {
  readonly issuer: string;
  readonly kid: string;
  readonly jku: string | undefined;
}

/** What the assertion says of itself, before any of it is believed. */
function readClaims(assertion: string): Claimed {
  if (assertion === '' || assertion.length > longestAssertion)
    throw new Refusal('invalid_request', 'client_assertion must be one signed JWT.');
  try {
    const { kid = '', jku } = decodeProtectedHeader(assertion);
    return { issuer: decodeJwt(assertion).iss ?? '', kid, jku };
  } catch {
    throw new Refusal('invalid_client', 'The assertion is no JWT.');
  }
}

/** Whose the assertion claims to be; '' where it does not say. */
function issuerOf(assertion: string): string {
  try {
    return readClaims(assertion).issuer;
  } catch {
    return '';
  }
}

async function verify(
  { keys, audience, now, store }: TokenEndpointParts,
  client: PartnerClient,
  assertion: string,
  { kid, jku }: Claimed,
): Promise<void> {
  const registered = 'url' in client.keys ? client.keys.url : undefined;
  if (jku !== undefined && jku !== registered)
    throw new Refusal('invalid_client', 'The assertion names a jku that is not registered.');
  const set = await keys.keySet(client, kid);
  const key = set?.keys.filter((one) => one.kid === kid) ?? [];
  if (kid === '' || key.length === 0)
    throw new Refusal('invalid_client', 'The assertion is signed with a key (kid) that the client has not published.');
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys: key }), {
      algorithms: [...signingAlgorithms],
      issuer: client.id,
      subject: client.id,
      audience,
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'jti'],
    });
    const seconds = now() / 1000 + clockSkewSeconds;
    const { exp = 0, iat, jti = '' } = payload;
    if (exp > seconds + longestAssertionSeconds)
      throw new Refusal('invalid_client', 'The assertion lives longer than 5 minutes.');
    if (iat !== undefined && iat > seconds)
      throw new Refusal('invalid_client', 'The assertion is of the future (iat).');
    if (!(await useOnce(store, client, jti, exp)))
      throw new Refusal('invalid_client', 'The assertion has been used before (jti).');
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    // The library's words name claims, never values.
    throw new Refusal('invalid_client', `The assertion is refused: ${error.message}.`);
  }
}

/** False when the client has used the name before; as long as an assertion could still be valid, it is remembered. */
async function useOnce({ db }: Store, { id }: PartnerClient, jti: string, exp: number): Promise<boolean> {
  await db.deleteFrom('used_assertion').where('expires_at', '<', sql<Date>`now() - interval '1 minute'`).execute();
  const used = await db
    .insertInto('used_assertion')
    .values({ client: id, jti_hash: hashOf(jti), expires_at: new Date((exp + clockSkewSeconds) * 1000) })
    .onConflict((conflict) => conflict.doNothing())
    .returning('client')
    .execute();
  return used.length > 0;
}

function scopesFor({ offered }: TokenEndpointParts, client: PartnerClient, asked: string | null): string[] {
  const words = (asked ?? '')
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) throw new Refusal('invalid_scope', 'scope is missing.');
  const granted = grantedScopes(words, client.scopes, offered);
  if (granted.length === 0) throw new Refusal('invalid_scope', 'None of the scopes is registered for this client.');
  return granted;
}

async function giveToken(
  { store }: TokenEndpointParts,
  client: PartnerClient,
  scopes: readonly string[],
): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await store.db.deleteFrom('access_token').where('expires_at', '<', sql<Date>`now()`).execute();
  await sql`
    insert into access_token (hash, client, scopes, expires_at)
    values (${hashOf(token)}, ${client.id}, ${scopes.join(' ')}, now() + ${tokenSeconds} * interval '1 second')`.execute(
    store.db,
  );
  return token;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
