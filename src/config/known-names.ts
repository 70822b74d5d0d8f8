// Settings that name a source.

import { didYouMean } from '../nearest.ts';
import type { Desk } from './complete.ts';
import type { SettingPath } from './source-text.ts';

/** `source/id` of an organization record, whose shape has been checked. */
export function organizationOf(
  text: string,
  known: readonly string[],
  path: SettingPath,
  desk: Desk,
): { readonly source: string; readonly id: string } {
  const slash = text.indexOf('/');
  const source = text.slice(0, slash);
  isKnown(source, known, path, desk);
  return { source, id: text.slice(slash + 1) };
}

export function isKnown(source: string, known: readonly string[], path: SettingPath, desk: Desk): void {
  if (known.includes(source)) return;
  desk.refuse(
    path,
    `names the source "${source}", which is not one of ${known.join(', ')}.${didYouMean(source, known)}`,
  );
}
