// What one history is made of: each seed switches a random part of the faults on, so that rare pairs meet, and gives the server its habits.

import type { VendorName } from '../../src/config.ts';
import { stream } from './random.ts';

/** Most often one server that takes everything; its habits are below. A hospital takes little but documents. */
const vendorSets: readonly (readonly VendorName[])[] = [
  ['standard'],
  ['standard'],
  ['standard'],
  ['standard'],
  ['standard'],
  ['standard'],
  ['epic'],
  ['oracle'],
  ['standard', 'epic'],
  ['standard', 'oracle'],
  ['epic', 'oracle'],
  ['standard', 'epic', 'oracle'],
];

/** Probabilities are per request, per store call or per job; 0 is off. */
export interface Swarm {
  /** One connection to a server of each. */
  readonly vendors: readonly VendorName[];
  /** Of the `standard` server. */
  readonly versions: boolean;
  readonly transactions: boolean;
  readonly conditionalCreate: 'none' | 'atomic' | 'gap';
  /** Whether it searches Provenance by the tag that it is found again by. */
  readonly provenance: boolean;
  readonly searchLagMs: number;
  readonly settleMs: number;
  readonly basis: 'treatment' | 'consent';
  readonly workers: number;
  readonly leaseMs: number;
  /** How often a step of a worker takes seconds instead of milliseconds: the wider the steps, the finer two runs of one lane mix. */
  readonly stall: number;
  readonly cases: number;
  /** Records turn out to belong to another case or client. */
  readonly moves: boolean;
  readonly chaosMs: number;
  /** Before this nothing fails, so that there is something to change when it does. */
  readonly calmMs: number;
  /** The request never arrives. */
  readonly dropRequest: number;
  /** The server did it, and nobody hears so. */
  readonly dropReply: number;
  /** It arrives long after the client has given it up. */
  readonly lateRequest: number;
  readonly duplicate: number;
  readonly truncate: number;
  readonly status: number;
  readonly slow: number;
  /** The whole network is away for so long, once: longer than a poll looks back. */
  readonly outageMs: number;
  readonly storeBefore: number;
  readonly storeAfter: number;
  readonly crash: number;
  readonly freeze: number;
  readonly skew: number;
  readonly loseJob: number;
  readonly doubleJob: number;
  readonly partner: number;
  readonly operator: number;
  readonly disorder: number;
}

export type FaultName =
  | 'dropRequest'
  | 'dropReply'
  | 'lateRequest'
  | 'duplicate'
  | 'truncate'
  | 'status'
  | 'slow'
  | 'outageMs'
  | 'storeBefore'
  | 'storeAfter'
  | 'crash'
  | 'freeze'
  | 'skew'
  | 'loseJob'
  | 'doubleJob'
  | 'partner'
  | 'operator'
  | 'disorder';

/** How much of each fault there is in a history that has it. */
const strengths: Readonly<Record<FaultName, number>> = {
  dropRequest: 0.03,
  dropReply: 0.06,
  lateRequest: 0.03,
  duplicate: 0.05,
  truncate: 0.03,
  status: 0.04,
  slow: 0.05,
  outageMs: 400_000,
  storeBefore: 0.008,
  storeAfter: 0.01,
  crash: 0.012,
  freeze: 0.012,
  skew: 1,
  loseJob: 0.1,
  doubleJob: 0.15,
  partner: 1,
  operator: 1,
  disorder: 0.3,
};

export const faultNames = Object.keys(strengths).filter(isFault);

function isFault(name: string): name is FaultName {
  return name in strengths;
}

/** @param without faults that are left out, whatever the seed says: for finding out which ones a failure needs */
export function swarmOf(seed: number, without: readonly FaultName[] = []): Swarm {
  const random = stream(seed, 'swarm');
  const settleMs = random.pick([0, 20_000, 90_000]);
  const drawn = faultNames.map((name): [FaultName, number] => {
    const isOn = random.chance(name === 'outageMs' ? 0.15 : 0.5);
    return [name, isOn && !without.includes(name) ? strengths[name] : 0];
  });
  const faults = Object.fromEntries(drawn) as Record<FaultName, number>;
  const chaosMs = random.between(60, 180) * 1000 + (faults.outageMs > 0 ? faults.outageMs + 60_000 : 0);
  const moves = stream(seed, 'movers').chance(0.3);
  return {
    vendors: stream(seed, 'vendors').pick(vendorSets),
    moves,
    provenance: stream(seed, 'provenance').chance(0.75),
    versions: random.chance(0.75),
    transactions: random.chance(0.5),
    conditionalCreate: random.pick(['none', 'none', 'atomic', 'gap']),
    searchLagMs: settleMs === 0 ? 0 : random.pick([0, 0, 2_000, 10_000]),
    settleMs,
    basis: random.chance(0.25) ? 'consent' : 'treatment',
    workers: random.pick([1, 2, 2, 3]),
    leaseMs: random.pick([60_000, 60_000, 15_000]),
    stall: random.pick([0.1, 0.1, 0.4]),
    // Two clients at least.
    cases: Math.max(moves ? 2 : 1, random.pick([1, 1, 1, 2])),
    chaosMs,
    calmMs: random.chance(0.6) ? 10_000 : 0,
    ...faults,
  };
}
