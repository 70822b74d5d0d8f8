// The shapes of what /_control takes.

import type { FaultRule } from '../faults.ts';
import type { RegisteredClient } from '../tokens/authority.ts';
import { bodyReader } from './check-body.ts';

const text = { type: 'string', minLength: 1 };
const moment = { enum: ['before-commit', 'after-commit'] };

/** @throws InvalidControl */
export const readFaults = bodyReader<FaultRule[]>({
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['fault'],
    properties: {
      method: { enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
      path: { type: 'string' },
      nth: { type: 'integer', minimum: 1 },
      probability: { type: 'number', minimum: 0, maximum: 1 },
      seed: { type: 'integer' },
      times: { type: 'integer', minimum: 1 },
      fault: {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: {
          status: { type: 'integer', minimum: 200, maximum: 599 },
          headers: { type: 'object', additionalProperties: { type: 'string' } },
          body: {},
          drop: moment,
          cut: { enum: ['close', 'reset'] },
          delayMs: { type: 'integer', minimum: 0 },
          truncate: { type: 'integer', minimum: 0 },
          breakOff: { type: 'integer', minimum: 0 },
          trickle: {
            type: 'object',
            additionalProperties: false,
            required: ['bytes', 'everyMs'],
            properties: { bytes: { type: 'integer', minimum: 1 }, everyMs: { type: 'integer', minimum: 0 } },
          },
          bodyBytes: { type: 'integer', minimum: 0, maximum: 209_715_200 },
          at: moment,
        },
      },
    },
  },
});

/** @throws InvalidControl */
export const readClients = bodyReader<RegisteredClient[]>({
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['clientId', 'scopes'],
    properties: {
      clientId: text,
      jwks: {
        type: 'object',
        required: ['keys'],
        properties: {
          keys: { type: 'array', items: { type: 'object', required: ['kty'], properties: { kty: text } } },
        },
      },
      jwksUrl: { type: 'string', pattern: '^https?://' },
      secret: text,
      scopes: { type: 'array', items: text },
    },
  },
});

export type ClockChange = { now: string } | { advance: string } | { real: true };

/** @throws InvalidControl */
export const readClock = bodyReader<ClockChange>({
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
  properties: { now: text, advance: text, real: { const: true } },
});
