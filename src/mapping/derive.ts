// What is worked out from a record before it is mapped, by rules that are code: `derive: name` of a mapping file. The record itself stays as
// its source sent it; what is derived goes out and never comes back.

import { scoreAssessment } from '../instruments/instruments.ts';
import { type JsonObject, objectsIn } from '../json.ts';

export interface Finding {
  /** The resource that tells of it. */
  readonly slot: string;
  readonly pointer: string;
  readonly message: string;
}

export interface Derived {
  readonly record: JsonObject;
  readonly findings: readonly Finding[];
}

interface DerivationRule {
  readonly derive: (record: JsonObject) => Derived;
  /** The fields of the record that it may fill. */
  readonly sets: readonly string[];
}

/** By the name that a mapping file gives. */
export const derivations: Readonly<Record<string, DerivationRule>> = {
  'assessment-scores': { derive: assessmentScores, sets: ['scores', 'items.score', 'riskLevel'] },
  'authorization-units': { derive: authorizationUnits, sets: [] },
};

/** The instrument's own scores beside those of the source, where the answers are complete. */
function assessmentScores(record: JsonObject): Derived {
  const scored = scoreAssessment(record);
  if (scored === undefined) return { record, findings: [] };
  const { items, totals, level, issues } = scored;
  const given = objectsIn(record.scores).map((score): JsonObject => {
    const total = totals.find(({ code, value }) => code === score.code && value === score.value);
    return total?.band === undefined ? score : { interpretation: total.band, ...score };
  });
  const counted = totals
    .filter((total) => !total.given)
    .map(({ code, value, band }): JsonObject => ({ code, value, ...(band !== undefined && { interpretation: band }) }));
  const scores = [...given, ...counted];
  return {
    record: {
      ...record,
      ...(Array.isArray(record.items) && { items: objectsIn(record.items).map((item) => withWorth(item, items)) }),
      ...(scores.length > 0 && { scores }),
      ...(level !== undefined && record.riskLevel === undefined && { riskLevel: level }),
    },
    findings: issues.map((issue) => ({ ...issue, slot: 'panel' })),
  };
}

function withWorth(item: JsonObject, worth: ReadonlyMap<string, number>): JsonObject {
  const score = worth.get(String(item.code));
  return score === undefined || item.score !== undefined ? item : { ...item, score };
}

/** More units used than were approved is the agency's to explain; the coverage goes as it is. */
function authorizationUnits(record: JsonObject): Derived {
  const findings = objectsIn(record.authorizations).flatMap(({ unitsUsed, unitsApproved }, index) =>
    typeof unitsUsed === 'number' && typeof unitsApproved === 'number' && unitsUsed > unitsApproved
      ? [
          {
            slot: 'coverage',
            pointer: `/authorizations/${index}/unitsUsed`,
            message: 'More units are used than were approved.',
          },
        ]
      : [],
  );
  return { record, findings };
}
