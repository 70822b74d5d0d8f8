// Patients that are no longer themselves: merged ones are answered by a redirect to the survivor (E20).

import { EpicRefusal } from './outcome.ts';
import type { Site } from './site.ts';

/**
 * @param location of the same request for the survivor, relative to the base
 * @throws EpicRefusal 301 for the id of a merged patient
 */
export function redirected({ settings, base }: Site, patientId: string, location: string): void {
  if (settings.merged[patientId] === undefined) return;
  throw new EpicRefusal(301, [{ number: '4107', diagnostics: 'See the other patient.' }], {
    location: `${base}/${location}`,
  });
}

/** @throws EpicRefusal 400 for a new resource about a merged patient */
export function checkNotMerged({ settings }: Site, patientId: string | undefined): void {
  if (patientId === undefined || settings.merged[patientId] === undefined) return;
  throw new EpicRefusal(400, [{ number: '4107', diagnostics: 'The patient has been merged.', expression: 'subject' }]);
}
