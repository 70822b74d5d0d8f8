// How the processes that use one server share its `concurrency`: never more requests under way than that in all, and nobody left out. Where
// there are fewer places than processes, they go round. Pure.

/** What one process has. It keeps its places until `until`, so that those of a dead one come back. */
export interface PlaceShare {
  readonly held: number;
  /** The most places that it could have used at one time lately. */
  readonly wanted: number;
  readonly until: number;
}

export type PlaceShares = Readonly<Record<string, PlaceShare>>;

export interface PlacesAsked {
  readonly holder: string;
  /** Requests under way: their places cannot be taken back. */
  readonly running: number;
  readonly wanted: number;
}

/** How long a process keeps its places without a word from it, in milliseconds. */
export const shareMs = 10_000;
/** How long an odd place stays with one process while others want it too. */
const turnMs = 500;

/** The shares after this process has asked; its own is absent when it wants nothing. */
export function sharePlaces(before: PlaceShares, asked: PlacesAsked, concurrency: number, now: number): PlaceShares {
  const others = Object.entries(before).filter(([holder, { until }]) => holder !== asked.holder && until > now);
  const taken = others.reduce((sum, [, { held }]) => sum + held, 0);
  const fair = fairShares([...others, [asked.holder, asked] as const], concurrency, now);
  const owed = others.reduce((sum, [holder, { wanted }]) => sum + Math.min(wanted, fair.get(holder) ?? 0), 0);
  const free = Math.min(concurrency - taken, concurrency - owed, asked.wanted);
  const held = Math.max(asked.running, free, 0);
  const kept = Object.fromEntries(others);
  if (held === 0 && asked.wanted === 0) return kept;
  return { ...kept, [asked.holder]: { held, wanted: asked.wanted, until: now + shareMs } };
}

/** An equal part for everybody who wants one; what does not divide goes round by the clock. */
function fairShares(
  all: readonly (readonly [string, { readonly wanted: number }])[],
  concurrency: number,
  now: number,
): ReadonlyMap<string, number> {
  const holders = all.flatMap(([holder, { wanted }]) => (wanted > 0 ? [holder] : [])).sort();
  const turn = Math.floor(now / turnMs);
  const odd = concurrency % Math.max(1, holders.length);
  return new Map(
    holders.map((holder, at) => [
      holder,
      Math.floor(concurrency / holders.length) + ((at + turn) % holders.length < odd ? 1 : 0),
    ]),
  );
}
