// A rule over the parts of one object, with the key that its definition gives it.

import type { JsonObject } from '../json.ts';

export interface Invariant {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  /** What must be true, in plain words. */
  readonly says: string;
  readonly holds: (value: JsonObject, root: JsonObject) => boolean;
}

export function rule(
  key: string,
  says: string,
  holds: Invariant['holds'],
  severity: Invariant['severity'] = 'error',
): Invariant {
  return { key, severity, says, holds };
}
