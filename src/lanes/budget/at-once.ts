// How much of a connection's work may be begun at once where its rate is low. What stands in line for longer than a request may wait is given
// up and begun again later, which brings nobody forward.

interface Rate {
  readonly requestsPerSecond: number;
  readonly concurrency: number;
}

const mostWrites = 8;

/** Lanes of a connection under way at once, in all processes: each asks at least every half second. */
export function lanesAtOnce({ requestsPerSecond, concurrency }: Rate): number {
  return Math.min(concurrency, Math.max(1, Math.ceil(requestsPerSecond * 2)));
}

/** Single writes that one lane sends together: what goes within eight seconds. */
export function writesAtOnce({ requestsPerSecond }: Rate): number {
  return Math.min(mostWrites, Math.max(1, Math.floor(requestsPerSecond * 8)));
}

/** Polls of a connection under way at once in one process: a third of the places, as of the rate. */
export function pollsAtOnce({ concurrency }: Rate): number {
  return Math.max(1, Math.floor(concurrency / 3));
}
