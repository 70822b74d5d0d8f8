// What is wrong with a connection, in plain words, for `doctor` and the capabilities page: can the server be reached, are we let in,
// does it speak R4, do the clocks agree, was all granted that was asked for. Asks about nobody.

import type { Reason } from '../errors.ts';
import { reason } from '../errors.ts';
import type { Auth } from './auth/auth.ts';
import { parseCapabilities, whyUnreadable } from './capabilities.ts';
import { classify } from './classify.ts';
import type { FhirClient } from './client.ts';
import { clockSkewSeconds } from './clock-skew.ts';
import { missingScopes } from './scopes.ts';
import type { Vendor } from './vendors/vendor.ts';

export interface Diagnosis {
  /** An HTTP server answers there. */
  readonly reachable: boolean;
  readonly auth: { readonly ok: boolean; readonly reason?: Reason };
  /** As granted; absent: this auth knows no scopes, or no token was given. */
  readonly scopes?: readonly string[];
  /** All that an operator should mend, the gravest first. Empty: nothing found. */
  readonly findings: readonly Reason[];
}

export interface DiagnosisParts {
  readonly host: string;
  readonly auth: Auth;
  readonly client: FhirClient;
  /** The same server, asked without credentials. */
  readonly anonymous: FhirClient;
  readonly vendor: Vendor;
  readonly wantedScopes: readonly string[];
  /** Epoch ms. */
  readonly now: () => number;
}

export async function diagnose(parts: DiagnosisParts): Promise<Diagnosis> {
  const { host } = parts;
  const metadata = await parts.anonymous.send({ method: 'GET', path: 'metadata' });
  if (metadata.fault !== undefined) {
    const { reason: why } = classify(parts.vendor, { method: 'GET', kind: 'read' }, metadata);
    return { reachable: metadata.status !== undefined, auth: { ok: false, reason: why }, findings: [why] };
  }
  const findings: Reason[] = [];
  const skew = clockSkewSeconds(metadata.headers.date, parts.now());
  if (skew !== undefined) {
    findings.push(reason('connection-clock-skew', { host, seconds: skew }));
  }

  const auth = await signIn(parts);
  if (auth.reason !== undefined) {
    findings.unshift(auth.reason);
  }
  const scopes = parts.auth.scopes();
  const missing = missingScopes(parts.wantedScopes, scopes ?? parts.wantedScopes);
  if (missing.length > 0) {
    findings.push(reason('connection-scopes-missing', { host, scopes: missing.join(' ') }));
  }

  // Some servers show even this only to those they know.
  const hidden = metadata.status === 401 || metadata.status === 403;
  const statement = hidden && auth.ok ? await parts.client.send({ method: 'GET', path: 'metadata' }) : metadata;
  const capabilities =
    statement.fault === undefined && statement.body
      ? parseCapabilities(statement.body, new Date(parts.now()))
      : undefined;
  const version = capabilities?.fhirVersion;
  if (capabilities === undefined) {
    const problem = whyUnreadable(statement);
    findings.push(reason('connection-capabilities-unreadable', { host, problem }));
  } else if (version === undefined || !/^4\.0\.\d+$/.test(version)) {
    findings.push(reason('connection-fhir-version', { host, version: version ?? 'of an unnamed version' }));
  }
  return { reachable: true, auth, ...(scopes && { scopes }), findings };
}

/** A token is had, and a request with it is not refused. */
async function signIn(parts: DiagnosisParts): Promise<Diagnosis['auth']> {
  const { path, query } = parts.vendor.queries.probe;
  const reply = await parts.client.send({ method: 'GET', path, query });
  const outcome = classify(parts.vendor, { method: 'GET', kind: 'search' }, reply);
  const refused = reply.fault === undefined ? reply.status === 401 : true;
  return refused ? { ok: false, reason: outcome.reason } : { ok: true };
}
