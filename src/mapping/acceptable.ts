// A patch that the source would refuse is no change to offer.

import type { JsonObject } from '../json.ts';
import { brokenIn, type RecordType } from '../records/records.ts';

/** Asks for fields that other fields of the record call for: a patch has no say in those. */
const asking = ['required', 'one-of-required'];

/** The first rule of records that `after` breaks and `before` does not. */
export function newlyBroken(type: RecordType, before: JsonObject, after: JsonObject): string | undefined {
  const broken = brokenBy(type, after);
  return broken.length === 0 ? undefined : broken.find((rule) => !brokenBy(type, before).includes(rule));
}

function brokenBy(type: RecordType, record: JsonObject): string[] {
  return brokenIn(type, record).filter((rule) => !asking.includes(rule));
}
