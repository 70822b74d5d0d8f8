// Which routes each record type can take: of any other a setting would say what does not happen.

import type { RecordType } from '../records/records.ts';
import { type Route, routes } from './types.ts';

/**
 * What the readable document tells of (closed-loop B8), partners, services and workers by their names and phones; and what goes as a document of
 * its own: notes, safety plans, incidents that are shared.
 */
export const documentedTypes: readonly RecordType[] = [
  'appointment',
  'assessment',
  'carePlan',
  'case',
  'goal',
  'incident',
  'intervention',
  'need',
  'note',
  'organization',
  'referral',
  'safetyPlan',
  'service',
  'worker',
];

/** Stays begin on the other side, ideas for improvement are internal (design section 5). */
const neverWritten: readonly RecordType[] = ['hospitalStay', 'improvementIdea'];

/** What is looked for on the other side, or is the other side's own. */
const readTypes: readonly RecordType[] = ['organization', 'worker', 'service', 'client', 'coverage', 'hospitalStay'];

/** What the other side begins and we answer in its own resource. */
const answeredTypes: readonly RecordType[] = ['referral', 'appointment'];

const typesOf: Partial<Record<Route, (type: RecordType) => boolean>> = {
  native: (type) => !neverWritten.includes(type),
  document: (type) => documentedTypes.includes(type),
  answer: (type) => answeredTypes.includes(type),
  read: (type) => readTypes.includes(type),
};

/** Every type can be kept from a server. */
export function routesFor(type: RecordType): Route[] {
  return routes.filter((route) => typesOf[route]?.(type) ?? true);
}
