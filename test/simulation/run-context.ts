// What the simulation knows of the lane run that a store call or a request belongs to.

import { AsyncLocalStorage } from 'node:async_hooks';

export interface RunContext {
  /** The number of the last transaction that this run has committed, counted over the whole history. */
  lastCommit: number;
  /** The version of the mapping that this run plans by. */
  mapping?: string;
}

export const runContext = new AsyncLocalStorage<RunContext>();
