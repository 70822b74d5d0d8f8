// What `POST /_control/standard/settings` can change.

import { bodyReader } from '../control/check-body.ts';
import type { EngineSettings } from '../engine/engine.ts';

export interface StandardSettings extends EngineSettings {
  /** `token`: every request needs an access token, `bearerToken` or `basic`. */
  auth: 'none' | 'token';
  /** A token that is always good, for everything. */
  bearerToken: string | null;
  /** Credentials that are always good, for everything. */
  basic: { user: string; password: string } | null;
  /** Life of an access token. */
  tokenSeconds: number;
  /** Real time that each answer takes. */
  latencyMs: number;
  /**
   * Real time between the search and the create of an If-None-Exist, as on servers that keep them apart (hapi-fhir 3141): two requests in
   * that time both create. 0: none.
   */
  conditionalCreateGapMs: number;
  /** Beyond it, over any `rateWindowMs`, the answer is 429 with Retry-After. Requests for tokens are not counted. */
  requestsPerSecond: number | null;
  /** Real time: 60,000 allows 60 times `requestsPerSecond` in any minute, however they are spread. */
  rateWindowMs: number;
}

const flag = { type: 'boolean' };
const text = { type: 'string', minLength: 1 };
const amount = { type: 'integer', minimum: 0 };
const positive = { type: 'integer', minimum: 1 };

/** null switches it off again. */
function orNone<T extends { type: string }>(schema: T) {
  return { ...schema, type: [schema.type, 'null'] };
}

/** @throws InvalidControl for an unknown setting or a wrong value */
export const parseStandardSettings = bodyReader<Partial<StandardSettings>>({
  type: 'object',
  additionalProperties: false,
  properties: {
    auth: { enum: ['none', 'token'] },
    bearerToken: orNone(text),
    basic: orNone({
      type: 'object',
      additionalProperties: false,
      required: ['user', 'password'],
      properties: { user: text, password: text },
    }),
    tokenSeconds: positive,
    latencyMs: amount,
    conditionalCreateGapMs: amount,
    requestsPerSecond: orNone(positive),
    rateWindowMs: positive,
    transactions: flag,
    conditionalCreate: flag,
    versions: flag,
    patchOnlyTypes: { type: 'array', items: text },
    searchLagMs: amount,
    searchCacheMs: amount,
    hiddenSearchParameters: { type: 'array', items: { type: 'string', pattern: '^[A-Za-z]+\\.[A-Za-z_-]+$' } },
  },
});
