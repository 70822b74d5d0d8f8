// How the processes that use one server share its `concurrency`: never more requests under way than that in all, and nobody left out. Where
// there are fewer places than processes, they go round. Pure.

/** What one process has. It keeps its places until `until`, so that those of a dead one come back. */
export interface PlaceShare {
  readonly held: number;
  /** The most places that it could have used at one time lately. */
  readonly wanted: number;
  /** The slot that it took last, and whether it wants more: who has waited longest comes first. */
  readonly tookAt: number;
  readonly waits: boolean;
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

/**
 * The shares after this process has asked, its own only while it wants something; and how many requests it may have under way from now on. That
 * may be fewer than are: then it begins none before some have ended.
 */
export function sharePlaces(
  before: PlaceShares,
  asked: PlacesAsked,
  concurrency: number,
  now: number,
): { readonly shares: PlaceShares; readonly allowed: number } {
  const others = Object.entries(before).filter(([holder, { until }]) => holder !== asked.holder && until > now);
  const taken = others.reduce((sum, [, { held }]) => sum + held, 0);
  const fair = fairShares([...others, [asked.holder, asked] as const], concurrency, now);
  const owed = others.reduce((sum, [holder, { wanted }]) => sum + Math.min(wanted, fair.get(holder) ?? 0), 0);
  const allowed = Math.max(0, Math.min(concurrency - taken, concurrency - owed, asked.wanted));
  const held = Math.max(asked.running, allowed);
  const kept = Object.fromEntries(others);
  if (held === 0 && asked.wanted === 0) return { shares: kept, allowed };
  const tookAt = before[asked.holder]?.tookAt ?? 0;
  const own = { held, wanted: asked.wanted, tookAt, waits: false, until: now + shareMs };
  return { shares: { ...kept, [asked.holder]: own }, allowed };
}

/** What this process got. @param tookAt absent: nothing */
export function afterSlots(
  shares: PlaceShares,
  holder: string,
  tookAt: number | undefined,
  waits: boolean,
): PlaceShares {
  const own = shares[holder];
  return own === undefined ? shares : { ...shares, [holder]: { ...own, tookAt: tookAt ?? own.tookAt, waits } };
}

/** How many others want a slot and have waited longer for it. */
export function waitingLonger(shares: PlaceShares, holder: string): number {
  const tookAt = shares[holder]?.tookAt ?? 0;
  return Object.entries(shares).filter(([other, share]) => other !== holder && share.waits && share.tookAt < tookAt)
    .length;
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
