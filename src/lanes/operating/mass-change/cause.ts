// What may want very many resources changed at once: another mapping, another configuration, another offer of the server, or one that was restored.

import type { JsonObject } from '../../../json.ts';
import type { LaneBasis } from '../../../store/store.ts';

export interface Cause {
  readonly cause: 'mapping' | 'configuration' | 'scopes' | 'restored-server';
  /** Which one of them: a version or a hash. */
  readonly value: string;
}

/** What differs from the last finished run, the strongest first; undefined: nothing that could change masses. */
export function causeOf(before: LaneBasis | null, now: LaneBasis): Cause | undefined {
  if (before === null || (before.epochs !== undefined && before.epochs !== now.epochs)) return undefined;
  if (before.until !== undefined && before.until <= now.at) return undefined;
  if (before.mapping !== now.mapping) return { cause: 'mapping', value: now.mapping };
  const isOther = (one: string | undefined, other: string | undefined) =>
    one !== undefined && other !== undefined && one !== other;
  if (isOther(before.configuration, now.configuration))
    return { cause: 'configuration', value: now.configuration ?? '' };
  return isOther(before.routes, now.routes) ? { cause: 'scopes', value: now.routes ?? '' } : undefined;
}

export const causeWords: Readonly<Record<Cause['cause'], string>> = {
  'restored-server': 'A server that has lost what it had',
  mapping: 'The active mapping',
  configuration: 'The configuration of the connection',
  scopes: 'What the server offers or grants',
};

export type CauseKey = { readonly cause: string; readonly value: string };

export function causeIn({ cause, value }: JsonObject): CauseKey | undefined {
  return typeof cause === 'string' && typeof value === 'string' ? { cause, value } : undefined;
}
