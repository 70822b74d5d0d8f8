// Compares FHIR dates of unlike precision: a date stands for all instants it may mean.

const hour = 3_600_000;

/** True when `earlier` lies after `later` however both are read; false when the precision or a missing zone leaves it open. */
export function isAfter(earlier: string, later: string): boolean {
  // A date without zone may begin up to 14 hours before and end up to 12 hours after the same date in UTC.
  const bothZoned = hasZone(earlier) && hasZone(later);
  const neitherZoned = !hasZone(earlier) && !hasZone(later);
  const slack = bothZoned || neitherZoned ? 0 : 14 * hour;
  return firstInstant(earlier) - slack > lastInstant(later);
}

function hasZone(value: string): boolean {
  return value.includes('T');
}

function firstInstant(value: string): number {
  return Date.parse(value);
}

function lastInstant(value: string): number {
  if (hasZone(value)) {
    return Date.parse(value);
  }
  const [year = 0, month, day] = value.split('-').map(Number);
  if (month === undefined) {
    return Date.UTC(year + 1, 0) - 1;
  }
  return (day === undefined ? Date.UTC(year, month) : Date.UTC(year, month - 1, day + 1)) - 1;
}
