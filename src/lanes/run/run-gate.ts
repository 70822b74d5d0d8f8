// Lets runs of one process go side by side, except one that may have brought a process down before: it runs alone, so that it takes no
// neighbour with it (lanes.md 5).

export interface RunGate {
  /** Runs the work beside others, after whatever runs alone. */
  sideBySide<T>(work: () => Promise<T>): Promise<T>;
  /** Waits until nothing runs, and lets nothing begin until the work has ended. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function createRunGate(): RunGate {
  const running = new Set<Promise<unknown>>();
  let lastAlone: Promise<unknown> = Promise.resolve();

  async function ended(work: Promise<unknown>): Promise<void> {
    await work.then(
      () => undefined,
      () => undefined,
    );
  }

  return {
    async sideBySide(work) {
      // While one waits for its turn, another may have asked to run alone.
      for (let seen: unknown; seen !== lastAlone; ) {
        seen = lastAlone;
        await ended(lastAlone);
      }
      const mine = work();
      running.add(mine);
      try {
        return await mine;
      } finally {
        running.delete(mine);
      }
    },

    alone(work) {
      const before = lastAlone;
      const mine = (async () => {
        await ended(before);
        while (running.size > 0) await Promise.all([...running].map(ended));
        return work();
      })();
      lastAlone = mine;
      return mine;
    },
  };
}
