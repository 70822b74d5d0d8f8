// What the simulation knows of the lane run that a store call or a request belongs to.

import { AsyncLocalStorage } from 'node:async_hooks';

export interface Basis {
  readonly connection_epoch: unknown;
  readonly epochs: Readonly<Record<string, unknown>>;
}

export interface RunContext {
  /** The number of the last transaction that this run has committed, counted over the whole history. */
  lastCommit: number;
  /** What the last plan of the run was made from, for those who sabotage it. */
  basis: Basis | undefined;
}

export const runContext = new AsyncLocalStorage<RunContext>();
