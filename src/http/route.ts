// The shape of one row of the route table. Router, access checks and OpenAPI are all made from these rows.

import type { Request, Response } from 'express';
import type { RateLimit, SharedRate } from '../access/access.ts';
import type { Permission } from '../config.ts';
import type { FieldRules } from './answer-fields.ts';
import type { GatewayApi } from './gateway-api.ts';
import type { Principal } from './principal.ts';
import type { Problem } from './problem.ts';

/** Of the `Casebridge-Api` header that every answer carries. */
export const apiVersion = '1';

/**
 * Who may call: anyone without a token, or sources (each for its own), or operators with a permission, or both of these. `console`: a browser, of
 * which the handler asks who has signed in there.
 */
export type Access = 'anyone' | 'console' | { readonly source: boolean; readonly operator?: Permission };

export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** As in OpenAPI: `/api/records/{type}/{id}`; names come from `pathParameters`. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  /** Names from `queryParameters`. */
  readonly query?: readonly QueryName[];
  /** What `state` may be. @default the states of lanes */
  readonly states?: readonly string[];
  /** What `kind` may be. */
  readonly kinds?: readonly string[];
  /** Media types of the request's body. Without any, only an empty body or `{}` is let through. */
  readonly takes?: readonly string[];
  /** Of a small JSON body, which the handler reads with `readFields`. */
  readonly fields?: FieldRules;
  /** The body is a record, or as a stream one record for each line. */
  readonly takesRecords?: true;
  /** The handler itself answers a body that is missing, unwanted or of another type. */
  readonly checksBody?: true;
  /** Media types of the answer. @default application/json */
  readonly answers?: readonly string[];
  /** What Accept may name, of which one is needed; `anything`: nobody is refused for it. @default what is answered */
  readonly accepts?: readonly string[] | 'anything';
  /** Of what a browser shows. */
  readonly page?: PageRules;
  /** What an operator does by it, kept in the audit once it is done. Absent: nothing, or it is kept with what it changes. */
  readonly act?: Act;
  /** Status when all went well. @default 200 */
  readonly status?: number;
  /** The answer's body as JSON; undefined when the handler has answered through `response` itself. */
  handle(call: Call): Promise<object | undefined>;
}

export interface Act {
  /** `pause`, `park`, `decide`, … */
  readonly action: string;
  /** The kind of thing that it is done to: `connection`, `lane`, … */
  readonly on: string;
  /** Which one. @default the parameters of the address, or without any the id in the answer */
  id?(call: Call): string;
}

export interface PageRules {
  /** Content-Security-Policy. */
  readonly policy: string;
  /** What is shown instead of problem details. */
  problem(problem: Problem): string;
}

export type QueryName =
  | 'limit'
  | 'after'
  | 'source'
  | 'state'
  | 'dryRun'
  | 'connection'
  | 'reason'
  | 'outcome'
  | 'lineage'
  | 'worker'
  | 'kind';

/** One request whose route, token, parameters and headers have been checked. */
export interface Call {
  readonly gateway: GatewayApi;
  readonly limits: HttpLimits;
  readonly requestId: string;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Partial<Record<QueryName, string>>>;
  /** Undefined on routes open to anyone. */
  readonly principal: Principal | undefined;
  readonly request: Request;
  readonly response: Response;
  /** Attempts to sign in on the console, by the caller's address. */
  readonly signIns: SharedRate;
  /** Refusals of these that are kept in the audit, in each process: whoever guesses tokens fills no table with it. */
  readonly keptRefusals: RateLimit;
}

export interface HttpLimits {
  /** Largest body that is read whole, in bytes. @default 5 MB */
  readonly bodyBytes: number;
  /** How long a body may take that is read whole, and how long a stream may pause, in milliseconds. @default 60 s */
  readonly bodyMs: number;
  /** Largest body of the interface for partners, in bytes. @default 250 KB */
  readonly partnerBodyBytes: number;
  /** Requests of one partner's system, in each process. @default 600 */
  readonly partnerRequestsPerMinute: number;
  /** @default 8 KB */
  readonly addressBytes: number;
  /** @default 16 KB */
  readonly headerBytes: number;
  /** @default 10 s */
  readonly headerMs: number;
  /** How often one address may try to sign in on the console, over all processes. @default 10 */
  readonly signInsPerMinute: number;
  /** How many wrong tokens one address may show, over all processes. @default 300 */
  readonly wrongTokensPerMinute: number;
}

export const defaultLimits: HttpLimits = {
  bodyBytes: 5_000_000,
  bodyMs: 60_000,
  partnerBodyBytes: 250_000,
  partnerRequestsPerMinute: 600,
  addressBytes: 8192,
  headerBytes: 16_384,
  headerMs: 10_000,
  signInsPerMinute: 10,
  wrongTokensPerMinute: 300,
};
