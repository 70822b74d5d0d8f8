// Knows whether the running code is inside one of the store's transactions, however deep in its calls.

import { AsyncLocalStorage } from 'node:async_hooks';

export class TransactionScope {
  readonly #current = new AsyncLocalStorage<{ open: boolean }>();

  /** Runs `work` as the inside of a transaction. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const transaction = { open: true };
    try {
      return await this.#current.run(transaction, work);
    } finally {
      // Timers and promises started inside live longer than the transaction does.
      transaction.open = false;
    }
  }

  /**
   * Throws when called inside a transaction. There, another connection sees old data, and on the embedded database (one
   * connection) it would wait for ever.
   */
  forbid(): void {
    if (this.#current.getStore()?.open) {
      throw new Error(
        'Inside a transaction use only its own handle: no other query, and no queue call, may start there.',
      );
    }
  }
}
