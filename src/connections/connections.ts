// Front door of connections/: FHIR servers as we meet them. One connection is one server with its credentials, its vendor's habits
// and its rate; everything that other folders may use is exported here.

import type { ConnectionConfig, VendorName } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { createAuth, noAuth } from './auth/auth.ts';
import { wantedScopes } from './auth/wanted-scopes.ts';
import type { Budget } from './budget.ts';
import { type Capabilities, isCapabilities, readCapabilities, whyUnreadable } from './capabilities.ts';
import { createClient, type FhirClient } from './client.ts';
import { type MachineTime, machineTime, startDeadline } from './deadline.ts';
import { type Diagnosis, diagnose } from './diagnose.ts';
import { defaultLimits, type ExchangeLimits, type Exchanger, openExchanger, type RequestSeen } from './exchange.ts';
import type { Fault } from './faults.ts';
import { createLimiter } from './limiter.ts';
import { memoryBudget } from './memory-budget.ts';
import { meteredExchanger } from './metered.ts';
import { notingExchanger } from './noting.ts';
import type { OddWait } from './retry-after.ts';
import { requestUrl } from './url.ts';
import { epic } from './vendors/epic.ts';
import { oracle } from './vendors/oracle.ts';
import { standard } from './vendors/standard.ts';
import type { Vendor } from './vendors/vendor.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export { generateKey, publicKeySet, type SigningAlgorithm, signingAlgorithms, writeKeyFile } from './auth/keys.ts';
export {
  afterProbed,
  afterToken,
  type Budget,
  type BudgetLimits,
  type BudgetState,
  claimProbing,
  claimToken,
  failingReason,
  pollShare,
  type Rest,
  reserveRest,
  restOf,
  settle,
  unspent,
} from './budget.ts';
export {
  type Capabilities,
  changesByPatch,
  isCapabilities,
  namesVersions,
  parseCapabilities,
  readCapabilities,
  takesChanges,
} from './capabilities.ts';
export {
  type Classified,
  classify,
  type Failed,
  type ReplyClass,
  type RequestFacts,
  type RequestKind,
} from './classify.ts';
export { type FhirClient, type FhirReply, type FhirRequest, versionTagOf } from './client.ts';
export { machineTime, startDeadline } from './deadline.ts';
export { type Exchanger, openExchanger, type RequestSeen } from './exchange.ts';
export { type Fault, type FaultKind, makeFault } from './faults.ts';
export { guardedLookup } from './guarded-lookup.ts';
export { issueCodes } from './issue-codes.ts';
export { readLocation } from './location.ts';
export { isPassing } from './passing.ts';
export { type PollSearch, pollOverlapMs, pollQuery } from './poll.ts';
export { type ProvenanceAbility, provenanceAbility } from './provenance.ts';
export { retryAfterMs } from './retry-after.ts';
export { type Route, type RoutedSlot, type RouteInput, type RouteRow, routeTable } from './routes.ts';
export { type Action, allowedActions, parseScope } from './scopes.ts';
export {
  type Grade,
  isSearchResult,
  isTooMany,
  isWholeSearch,
  type LackingSearch,
  type MatchGrade,
  type SearchFailure,
  type SearchLimits,
  type SearchResult,
  type UnreadableEntry,
} from './search.ts';
export type { TokenTurn } from './token-turn.ts';
export type { Query } from './url.ts';
export { vendorRules } from './vendors/table.ts';
export { type DocumentRules, isOffered, type NotOffered, type PersonSought, type Vendor } from './vendors/vendor.ts';
export type { Verdict } from './verdict.ts';

/** One file each, with the same members in the same order. */
export const vendors: Readonly<Record<VendorName, Vendor>> = { epic, oracle, standard };

export interface Connection {
  readonly id: string;
  readonly config: ConnectionConfig;
  readonly vendor: Vendor;
  readonly client: FhirClient;
  /** What the token may do, after having asked for one; no `granted`: this auth knows no scopes. */
  scopes(): Promise<{ readonly granted?: readonly string[] } | Fault>;
  /** @throws CasebridgeError 'connection-capabilities-unreadable', saying why */
  capabilities(): Promise<Capabilities>;
  diagnose(): Promise<Diagnosis>;
  /** One request about nobody, outside the line: whether the server answers at all. For the breaker (`breaker.ts`). */
  probe(): Promise<Verdict>;
  /** Gives up what is under way, closes the sockets and gives back its part of the budget. */
  close(): Promise<void>;
}

export interface ConnectionParts {
  /** Called after each request, tokens included; for metrics. */
  readonly onRequest?: (seen: RequestSeen) => void;
  /** Called when the server asks for a pause that is not taken as it says it, once for each way. */
  readonly onOddWait?: (how: OddWait) => void;
  /** Epoch ms. @default Date.now */
  readonly now?: () => number;
  /** @default `defaultLimits` */
  readonly limits?: Partial<ExchangeLimits>;
  /** What carries the requests; a simulation brings its own. @default axios on sockets of its own */
  readonly exchanger?: Exchanger;
  /** The clocks by which requests wait and are given up. @default those of this machine */
  readonly time?: MachineTime;
  /** What all processes may spend together. @default one of its own, in memory */
  readonly budget?: Budget;
}

/** Opens one connection; asks nothing yet. */
export function openConnection(config: ConnectionConfig, parts: ConnectionParts = {}): Connection {
  const vendor = vendors[config.vendor];
  const time = parts.time ?? machineTime;
  const now = parts.now ?? time.wall;
  const baseUrl = new URL(config.baseUrl);
  const bare =
    parts.exchanger ??
    openExchanger({
      connection: config.id,
      concurrency: config.rateLimit.concurrency,
      limits: { ...defaultLimits, ...parts.limits },
      onRequest: parts.onRequest,
    });
  const exchanger = notingExchanger(bare, (how) => parts.onOddWait?.(how));
  const budget = parts.budget ?? memoryBudget(config.rateLimit, time.now);
  const limiter = createLimiter(budget, time);
  const metered = meteredExchanger(exchanger, limiter);
  const auth = createAuth(config.auth, { baseUrl, exchanger: metered, budget, time, now });
  const clientId = 'clientId' in config.auth ? config.auth.clientId : undefined;
  const shared = { baseUrl, exchanger, limiter, time, vendor, clientId };
  const client = createClient({ ...shared, auth });

  return {
    id: config.id,
    config,
    vendor,
    client,
    async scopes() {
      const credentials = await auth.credentials();
      if ('fault' in credentials) {
        return credentials;
      }
      const granted = auth.scopes();
      return granted === undefined ? {} : { granted };
    },
    async capabilities() {
      const read = await readCapabilities(client, new Date(now()));
      if (isCapabilities(read)) {
        return read;
      }
      const problem = whyUnreadable(read);
      throw new CasebridgeError('connection-capabilities-unreadable', { host: baseUrl.host, problem });
    },
    diagnose() {
      const anonymous = createClient({ ...shared, auth: noAuth });
      const wanted = wantedScopes(config.auth);
      return diagnose({ host: baseUrl.host, auth, client, anonymous, vendor, wantedScopes: wanted, now });
    },
    async probe() {
      const url = requestUrl(baseUrl, 'metadata');
      const deadline = startDeadline(undefined, new AbortController().signal, time);
      const headers = { accept: 'application/fhir+json', ...vendor.headers };
      return verdictOf(await exchanger.exchange({ method: 'GET', url, headers, deadline }));
    },
    close() {
      client.close();
      return limiter.close();
    },
  };
}
