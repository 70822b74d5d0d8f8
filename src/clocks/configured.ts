// From the configuration to what keeping clocks needs.

import { type Config, weekdays } from '../config.ts';
import type { Store } from '../store/store.ts';
import type { SweepDeps } from './deps.ts';
import type { ClockOptions } from './evaluate.ts';

export function clockDeps(
  { store, timeZone }: { readonly store: Store; readonly timeZone: SweepDeps['zoneOf'] },
  { clocks: { digest, businessHours }, sources }: Pick<Config, 'clocks' | 'sources'>,
  onError: SweepDeps['onError'],
): SweepDeps {
  return {
    store,
    options: businessHours === undefined ? {} : { businessHours: configured(businessHours) },
    ...(digest !== undefined && { digest }),
    sources: [...sources.keys()],
    zoneOf: timeZone,
    onError,
  };
}

function configured({
  days,
  from,
  to,
  holidays,
  rules,
}: NonNullable<Config['clocks']['businessHours']>): NonNullable<ClockOptions['businessHours']> {
  return {
    days: days.map((day) => weekdays.indexOf(day) + 1),
    from: minutesOf(from),
    to: minutesOf(to),
    holidays,
    rules,
  };
}

function minutesOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
}
