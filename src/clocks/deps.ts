// What keeping clocks needs to know, beside the time.

import { sourceOf } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import { nextTimeOfDay } from './calendar.ts';
import type { ClockOptions } from './evaluate.ts';

export interface SweepDeps {
  readonly store: Store;
  readonly options: ClockOptions;
  /** `HH:MM` at which breaches are told together, in the zone of their source; absent: each at once. */
  readonly digest?: string;
  readonly sources: readonly string[];
  /** IANA name. */
  readonly zoneOf: (source: string) => string;
  readonly onError: (error: unknown) => void;
}

/** When breaches of a source are told next, if not at once. `name` is the source or a subject of it. */
export function digestTime({ digest, zoneOf }: SweepDeps, name: string, now: Date): Date | undefined {
  return digest === undefined ? undefined : new Date(nextTimeOfDay(now.getTime(), digest, zoneOf(sourceOf(name))));
}
