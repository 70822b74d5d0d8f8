// Gives a local time the offset that its source's time zone had then. Where the clock was changed the answer is none or two, so it is
// refused rather than guessed.

import { DateTime } from 'luxon';

export type LocalTimeFault = 'no-zone' | 'unknown-zone' | 'gap' | 'overlap';

/** The same local time with its offset: the digits stay as they came. `local` has been checked to be a local date and time. */
export function withOffset(
  local: string,
  timeZone: string | undefined,
): { instant: string } | { fault: LocalTimeFault } {
  if (timeZone === undefined) return { fault: 'no-zone' };
  const time = DateTime.fromISO(local, { zone: timeZone });
  if (!time.isValid) return { fault: 'unknown-zone' };
  // In a gap luxon moves the clock on, so the local time that it holds is another one.
  if (time.toFormat("yyyy-MM-dd'T'HH:mm:ss") !== local.slice(0, 19)) return { fault: 'gap' };
  if (time.getPossibleOffsets().length > 1) return { fault: 'overlap' };
  return { instant: `${local}${time.toFormat('ZZ')}` };
}
