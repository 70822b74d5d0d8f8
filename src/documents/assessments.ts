// What is said of assessments: the newest of each instrument, its scores and what they mean. Answers and narratives stay out, but for an answer that
// is a matter of safety whatever the total.

import { scoreAssessment } from '../instruments/instruments.ts';
import { type JsonObject, numberAt, objectsAt, textAt, textsAt } from '../json.ts';
import { byRank } from './order.ts';
import { present } from './values.ts';

const told = ['completed', 'declined', 'unable'];

export function assessmentFacts(assessments: readonly JsonObject[]): JsonObject[] {
  return newestOfEach(assessments).map((assessment) => {
    const scored = assessment.status === 'completed' ? scoreAssessment(assessment) : undefined;
    const given = objectsAt(assessment, 'scores').map((score) => {
      const ours = scored?.totals.find(({ code }) => code === score.code);
      const value = numberAt(score, 'value');
      return present({
        code: textAt(score, 'code'),
        value,
        max: numberAt(score, 'max') ?? ours?.max,
        meaning: textAt(score, 'interpretation') ?? (ours?.value === value ? ours?.band : undefined),
        counted: ours === undefined || ours.value === value ? undefined : ours.value,
      });
    });
    const counted = (scored?.totals ?? [])
      .filter((total) => !total.given)
      .map(({ code, value, max, band }) => present({ code, value, max, meaning: band }));
    return present({
      id: textAt(assessment, 'id'),
      instrument: textAt(assessment, 'instrument'),
      status: textAt(assessment, 'status'),
      at: doneAt(assessment),
      scores: assessment.status === 'completed' ? [...given, ...counted] : [],
      level: textAt(assessment, 'riskLevel') ?? scored?.level,
      domains: [...new Set([...textsAt(assessment, 'positiveDomains'), ...(scored?.positiveDomains ?? [])])],
      alert: (scored !== undefined && scored.alerts.length > 0) || undefined,
    });
  });
}

/** Answers that must not wait, of the newest assessment by each instrument. */
export function alertFacts(assessments: readonly JsonObject[]): JsonObject[] {
  return assessmentFacts(assessments)
    .filter(({ alert }) => alert === true)
    .map((assessment) =>
      present({
        key: `assessment/${textAt(assessment, 'id')}`,
        kind: 'assessment',
        instrument: textAt(assessment, 'instrument'),
        at: textAt(assessment, 'at'),
        risk: textAt(assessment, 'level'),
      }),
    );
}

function newestOfEach(assessments: readonly JsonObject[]): JsonObject[] {
  const newestFirst = byRank(
    assessments.filter(({ status }) => told.includes(String(status))),
    (assessment) => [-(Date.parse(doneAt(assessment) ?? '') || 0)],
  );
  // What was declined later takes nothing from what was answered before.
  const keyOf = ({ instrument, status }: JsonObject): string => `${instrument}/${status === 'completed'}`;
  const newest = newestFirst.filter(
    (one, index) => newestFirst.findIndex((other) => keyOf(other) === keyOf(one)) === index,
  );
  return newest.filter(
    (one) =>
      one.status === 'completed' ||
      newest.findIndex(({ instrument }) => instrument === one.instrument) === newest.indexOf(one),
  );
}

function doneAt(assessment: JsonObject): string | undefined {
  return textAt(assessment, 'completedAt') ?? textAt(assessment, 'startedAt') ?? textAt(assessment, 'createdAt');
}
