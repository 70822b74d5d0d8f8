// One request for a token: the signed assertion, the form, and what the answer means in plain words.
// SMART App Launch 2.2 backend-services.html; RFC 7523; RFC 6749 section 5; ehr-behaviour E1-E6, C1; reliability rows 77-79.

import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { ErrorCode } from '../../errors.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import { clockSkewSeconds } from '../clock-skew.ts';
import type { HttpReply } from '../exchange.ts';
import type { Fault } from '../faults.ts';
import { makeFault } from '../faults.ts';
import { readJsonBody } from '../json-body.ts';
import { retryAfterMs } from '../retry-after.ts';
import type { AuthParts } from './auth.ts';
import { keyId, signingAlgorithm } from './keys.ts';
import type { SmartConfig } from './smart-backend.ts';
import { wantedScopes } from './wanted-scopes.ts';

export interface TokenReply {
  readonly accessToken: string;
  readonly lifeSeconds: number;
  /** As granted; undefined: the reply says nothing. */
  readonly scopes?: readonly string[];
}

const assertionLifeSeconds = 4 * 60;
/** How far the assertion's start is set back, for servers whose clock is a little behind; the sum stays below five minutes. */
const clockMarginSeconds = 30;
/** Assumed where the reply does not say. */
const shortLifeSeconds = 60;

/**
 * Asks for a token. Asked for once more, with a new assertion, is what no OAuth answer came to (a bare 400, a 5xx), and a client that was
 * refused while the clocks differ: then with the server's time.
 */
export async function requestToken(config: SmartConfig, url: URL, parts: AuthParts): Promise<TokenReply | Fault> {
  const first = await ask(config, url, parts, parts.now());
  const secondAt = first.fault === undefined ? timeOfSecondTry(config, first, parts.now()) : undefined;
  const reply = secondAt === undefined ? first : await ask(config, url, parts, secondAt);
  return reply.fault === undefined ? readTokenReply(reply, url, parts.now()) : { ...reply, sent: false };
}

/** Undefined: the first answer stands. */
function timeOfSecondTry(config: SmartConfig, reply: HttpReply, now: number): number | undefined {
  if (isForLater(reply)) {
    return undefined;
  }
  if (isBare(reply)) {
    return now;
  }
  const skew = clockSkewSeconds(reply.headers.date, now);
  const isRefused = config.type === 'smart-backend' && oauthError(reply) === 'invalid_client';
  return isRefused && skew !== undefined ? now + skew * 1000 : undefined;
}

async function ask(config: SmartConfig, url: URL, parts: AuthParts, now: number): Promise<HttpReply | Fault> {
  const proof = await proofOf(config, url, now);
  if ('fault' in proof) {
    return proof;
  }
  const scopes = wantedScopes(config);
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...proof.form,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  });
  return parts.exchanger.exchange({
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...proof.headers },
    body: form.toString(),
    deadline: { at: Number.POSITIVE_INFINITY, signal: new AbortController().signal },
  });
}

/** What shows who asks: an assertion in the form, or the secret in the Authorization header. */
interface Proof {
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function proofOf(config: SmartConfig, url: URL, now: number): Promise<Proof | Fault> {
  if (config.type === 'smart-basic') {
    const pair = [config.clientId, config.secret].map(encodeURIComponent).join(':');
    return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
  }
  const assertion = await signAssertion(config, url, now);
  if (typeof assertion !== 'string') {
    return assertion;
  }
  return {
    form: {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    },
  };
}

type KeyConfig = Extract<SmartConfig, { type: 'smart-backend' }>;

async function signAssertion(config: KeyConfig, url: URL, now: number): Promise<string | Fault> {
  const algorithm = signingAlgorithm(config.key);
  if (algorithm === undefined) {
    return makeFault('auth', false, 'connection-key-unusable', {});
  }
  const seconds = Math.floor(now / 1000);
  try {
    return await new SignJWT()
      .setProtectedHeader({ alg: algorithm, kid: await keyId(config.key), typ: 'JWT' })
      .setIssuer(config.clientId)
      .setSubject(config.clientId)
      .setAudience(url.href)
      .setJti(randomUUID())
      .setIssuedAt(seconds - clockMarginSeconds)
      .setExpirationTime(seconds + assertionLifeSeconds)
      .sign(await importJWK(config.key, algorithm));
  } catch {
    // The library's words may quote the key.
    return makeFault('auth', false, 'connection-key-unusable', {});
  }
}

/** What says nothing of who asks, and nothing about the request (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5). */
const passingErrors = ['server_error', 'slow_down', 'temporarily_unavailable'];

/** The server wants to be asked later, whatever else it says: above a limit some refuse everybody as unknown. */
function isForLater(reply: HttpReply): boolean {
  return reply.status === 429 || passingErrors.includes(oauthError(reply) ?? '');
}

function isBare(reply: HttpReply): boolean {
  return reply.status >= 500 || (reply.status === 400 && oauthError(reply) === undefined);
}

function readTokenReply(reply: HttpReply, url: URL, now: number): TokenReply | Fault {
  const { status } = reply;
  const body = jsonObject(reply);
  const token = body?.access_token;
  if (status === 200 && typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) {
    const scope = body?.scope;
    return {
      accessToken: token,
      lifeSeconds: lifeSeconds(body?.expires_in),
      ...(typeof scope === 'string' && { scopes: scope.split(/\s+/).filter((part) => part !== '') }),
    };
  }
  return tokenFault(reply, url, now);
}

function tokenFault(reply: HttpReply, url: URL, now: number): Fault {
  const { host } = url;
  const { status } = reply;
  const error = oauthError(reply);
  if (error === undefined || isForLater(reply)) {
    const waitMs = retryAfterMs(reply.headers['retry-after'], reply.headers.date);
    return makeFault('auth', false, 'connection-token-unavailable', { host, status }, { status, retryAfterMs: waitMs });
  }
  const skew = clockSkewSeconds(reply.headers.date, now);
  const clocks = skew === undefined ? '' : ` The clocks differ by ${Math.abs(skew)} s, which alone can cause this.`;
  const code = configFaults[error] ?? 'connection-token-refused';
  return makeFault('auth', false, code, { host, error, clocks }, { status });
}

const configFaults: Readonly<Record<string, ErrorCode>> = {
  invalid_client: 'connection-client-unknown',
  invalid_scope: 'connection-scopes-refused',
  unauthorized_client: 'connection-client-not-allowed',
};

/** The `error` of an OAuth error answer; anything that is no error code counts as none. */
function oauthError(reply: HttpReply): string | undefined {
  const error = reply.status >= 400 && reply.status < 500 ? jsonObject(reply)?.error : undefined;
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : undefined;
}

function jsonObject(reply: HttpReply): JsonObject | undefined {
  const json = readJsonBody(reply.bytes, reply.headers['content-type']);
  return 'value' in json && isObject(json.value) ? json.value : undefined;
}

/** Some servers send a number as text. */
function lifeSeconds(value: Json | undefined): number {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds : shortLifeSeconds;
}
