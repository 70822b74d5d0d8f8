// The record types that Casebridge takes, in their natural order of arrival: each points only at types before it (or its own).

/** Record types in the order in which an importer sends them. */
export const recordTypes = [
  'organization',
  'worker',
  'service',
  'client',
  'case',
  'consent',
  'coverage',
  'assessment',
  'hospitalStay',
  'incident',
  'need',
  'goal',
  'safetyPlan',
  'referral',
  'intervention',
  'carePlan',
  'appointment',
  'note',
  'improvementIdea',
] as const;

export type RecordType = (typeof recordTypes)[number];

/** Addresses one record: ids are unique within a source and a type only. */
export interface RecordKey {
  source: string;
  type: RecordType;
  id: string;
}

const known: ReadonlySet<string> = new Set(recordTypes);

export function isRecordType(text: string): text is RecordType {
  return known.has(text);
}
