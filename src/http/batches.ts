// Groups a stream into batches without making a slow sender wait for a full one.

/**
 * Batches of up to `size` items, in order. The first item of a batch waits no longer than `waitMs` for the others, so a sender who
 * writes one line and waits for its answer gets it.
 */
export async function* batches<T>(items: AsyncIterable<T>, size: number, waitMs: number): AsyncGenerator<T[]> {
  const iterator = items[Symbol.asyncIterator]();
  const ask = () => {
    const step = iterator.next();
    // It is awaited below; a failure that comes while a batch is worked on must not count as unhandled until then.
    step.catch(() => {});
    return step;
  };
  let next = ask();
  for (;;) {
    const first = await next;
    if (first.done) return;
    const batch = [first.value];
    const { promise: waited, resolve } = Promise.withResolvers<'waited'>();
    const timer = setTimeout(() => resolve('waited'), waitMs);
    next = ask();
    while (batch.length < size) {
      const step = await Promise.race([next, waited]);
      if (step === 'waited' || step.done) break;
      batch.push(step.value);
      next = ask();
    }
    clearTimeout(timer);
    yield batch;
  }
}
