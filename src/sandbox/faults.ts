// Misbehaviour on demand: which request fails, and how. Faults wrap a simulated server from outside; the server knows nothing of them.

import type { Cut, Trickle } from './deliver.ts';

/** When the fault strikes: before the server has done anything, or after it has done the work and committed. */
export type FaultMoment = 'before-commit' | 'after-commit';

export interface FaultAction {
  /** Answer this instead. */
  status?: number;
  headers?: Record<string, string>;
  /** Text as it is, anything else as JSON. */
  body?: unknown;
  /** Cut the connection without an answer. */
  drop?: FaultMoment;
  /** How, with `drop` and `breakOff`. Default: close. */
  cut?: Cut;
  /** Wait this many milliseconds of real time. */
  delayMs?: number;
  /** Send only so many characters of the body, as if it were all. */
  truncate?: number;
  /** Cut the connection after so many bytes of the body, though Content-Length promised them all. */
  breakOff?: number;
  /** Send the body piece by piece. */
  trickle?: Trickle;
  /** Make the body so many bytes long, with blanks after it. */
  bodyBytes?: number;
  /** For `status` and `delayMs`; default before-commit. */
  at?: FaultMoment;
}

export interface FaultRule {
  /** Default: any method. */
  method?: string;
  // URL path without the query, from the FHIR base on (`Task`, `/Task`) or from the server's name on (`/standard/oauth2/token`). It matches this
  // path and all below it, `*` is any run of characters, `$` at the end leaves out what is below: `Task/*/_history`, `$` (the base itself:
  // transactions). Default: any.
  path?: string;
  /** Strikes from the nth matching request on, counted from 1; with it `times` is 1 by default. */
  nth?: number;
  /** Strikes a matching request with this probability, drawn from `seed`. */
  probability?: number;
  /** Default 1. */
  seed?: number;
  /** How often it strikes at most. Default: without limit, 1 with `nth`. */
  times?: number;
  fault: FaultAction;
}

interface ActiveFault {
  rule: FaultRule;
  pattern: RegExp;
  random: () => number;
  matched: number;
  fired: number;
}

export class Faults {
  readonly #fhirPath: string;
  #active: ActiveFault[] = [];

  /** @param fhirPath URL path of the FHIR base */
  constructor(fhirPath: string) {
    this.#fhirPath = fhirPath;
  }

  /** Replaces all rules; counting starts anew. */
  set(rules: readonly FaultRule[]): void {
    this.#active = rules.map((rule) => ({
      rule,
      pattern: this.#pattern(rule.path),
      random: seededRandom(rule.seed ?? 1),
      matched: 0,
      fired: 0,
    }));
  }

  /** The rules, each with the number of requests that it matched and struck. */
  list(): (FaultRule & { matched: number; fired: number })[] {
    return this.#active.map(({ rule, matched, fired }) => ({ ...rule, matched, fired }));
  }

  /** The fault for the next request, if any. Every rule counts it; the first that strikes wins. */
  strike(method: string, path: string): FaultAction | undefined {
    let action: FaultAction | undefined;
    for (const fault of this.#active) {
      if ((fault.rule.method ?? method) !== method || !fault.pattern.test(path)) continue;
      fault.matched += 1;
      if (action !== undefined || !strikes(fault)) continue;
      fault.fired += 1;
      action = fault.rule.fault;
    }
    return action;
  }

  #pattern(path: string | undefined): RegExp {
    if (path === undefined) return /^/;
    const [, name = ''] = this.#fhirPath.split('/');
    const below = path.startsWith('/') ? path.slice(1) : path;
    const isWhole = path.startsWith(`/${name}/`);
    const whole = isWhole ? path : `${this.#fhirPath}${below === '' || below === '$' ? '' : '/'}${below}`;
    const exact = whole.endsWith('$');
    const text = (exact ? whole.slice(0, -1) : whole).replace(/\/$/, '');
    const escaped = text.replace(/[\\^$.+?()[\]{}|/-]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${escaped}${exact ? '/?$' : '(?:/|$)'}`, 's');
  }
}

function strikes({ rule, random, matched, fired }: ActiveFault): boolean {
  if (rule.nth !== undefined && matched < rule.nth) return false;
  if (fired >= (rule.times ?? (rule.nth === undefined ? Number.POSITIVE_INFINITY : 1))) return false;
  return rule.probability === undefined || random() < rule.probability;
}

/** Mulberry32: the same seed gives the same faults. */
function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
