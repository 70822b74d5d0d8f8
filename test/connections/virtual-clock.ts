// A monotonic clock that a test moves; what follows from a timer at once, promises included, happens before the next one.

export interface TestClock {
  now(): number;
  later(run: () => void, ms: number): () => void;
  pass(ms: number): Promise<void>;
}

export function virtualClock(): TestClock {
  let now = 0;
  const timers: { at: number; run: () => void }[] = [];
  return {
    now: () => now,
    later(run, ms) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
      };
    },
    async pass(ms) {
      const until = now + ms;
      await promisesKept();
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.splice(timers.indexOf(next), 1);
        now = Math.max(now, next.at);
        next.run();
        await promisesKept();
      }
      now = until;
    },
  };
}

async function promisesKept(): Promise<void> {
  for (let turns = 0; turns < 12; turns += 1) await Promise.resolve();
}
