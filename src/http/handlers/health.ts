// What monitors ask for: alive, ready, metrics; and the public keys that FHIR servers check our tokens with.

import { publicKeySet } from '../../connections/connections.ts';
import type { Call, Route } from '../route.ts';

/** Health and metrics, which a process without any other interface answers as well. */
export const monitorRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/health/live',
    summary: 'The process answers.',
    access: 'anyone',
    handle: async () => ({ live: true }),
  },
  {
    method: 'GET',
    path: '/health/ready',
    summary:
      'Records can come in and go out, by this version of the mappings; 503 where not, with the part that fails.',
    access: 'anyone',
    handle: getReady,
  },
  {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics for Prometheus.',
    access: 'anyone',
    answers: ['text/plain', 'application/openmetrics-text'],
    handle: getMetrics,
  },
];

export const healthRoutes: readonly Route[] = [
  ...monitorRoutes,
  {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'Public keys of Casebridge (RFC 7517).',
    access: 'anyone',
    answers: ['application/jwk-set+json', 'application/json'],
    accepts: 'anything',
    handle: getKeys,
  },
];

async function getReady({ gateway, response }: Call): Promise<object> {
  const { checks, mappingVersion } = await gateway.ready();
  const ready = checks.every(({ ok }) => ok);
  if (!ready) response.status(503);
  return { ready, checks, ...(mappingVersion !== undefined && { mappingVersion }) };
}

async function getMetrics({ gateway, response }: Call): Promise<undefined> {
  const { registry } = gateway.metrics;
  response.type(registry.contentType).send(await registry.metrics());
}

async function getKeys({ gateway }: Call): Promise<object> {
  const auths = [...gateway.config.connections.values()].map(({ auth }) => auth);
  return publicKeySet(
    auths.flatMap((auth) => (auth.type === 'smart-backend' ? [auth.key, ...(auth.otherKeys ?? [])] : [])),
  );
}
