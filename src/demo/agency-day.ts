// The calendar of the agency: by it, and not by Greenwich's, a consent that is signed in the evening is in force at once.

import { DateTime } from 'luxon';

/** The `timeZone` of its source in casebridge.demo.yaml. */
const zone = 'America/New_York';

/** The day, `YYYY-MM-DD`, that it is there at an instant in ISO 8601. */
export function dayThere(instant: string): string {
  return DateTime.fromISO(instant, { zone }).toFormat('yyyy-MM-dd');
}
