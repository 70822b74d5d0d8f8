// A goal by hand: one Goal, and one Observation for each value that stands.

import type { GoalRecord } from '../../../src/records/records.ts';
import { sdohcc, urls, usCore } from './urls.ts';
import { codeIn, codingIn, concept, head, list, type Out, type Run, text, to, toAll } from './values.ts';

type Target = NonNullable<GoalRecord['targets']>[number];
type Progress = NonNullable<GoalRecord['progress']>[number];

export function goal(record: GoalRecord, run: Run): Out {
  const { dueOn } = record;
  const corrected = correctedIn(record);
  return {
    resourceType: 'Goal',
    ...head('goal', 'goal', record, `${sdohcc}SDOHCC-Goal`, run),
    lifecycleStatus: codeIn(run.tables.goalStatus, record.status, '/status', run),
    achievementStatus: concept(run.tables.goalAchievement, record.achievement, '/achievement', run),
    category: list<Out>([concept(run.tables.sdohCategory, record.domain, '/domain', run)]),
    priority: concept(run.tables.goalPriority, record.priority, '/priority', run),
    description: {
      coding: list<Out>([codingIn(run.tables.goalDescription, record.domain, '/domain', run)]),
      text: text(record.statement, '/statement', run),
    },
    subject: to('client', 'patient', record.clientId, run),
    startDate: record.startsOn,
    target: list<Out>([
      dueOn === undefined ? undefined : { id: 'due', dueDate: dueOn },
      ...(record.targets?.map((target, at) => targetOf(target, `/targets/${at}`, record, run)) ?? []),
    ]),
    statusDate: record.achievedOn,
    addresses: toAll('need', 'condition', record.needIds, run),
    note: list<Out>(
      record.progress?.map(({ id, at: time, note }, at) => {
        const words = corrected.has(id) ? undefined : text(note, `/progress/${at}/note`, run);
        return words === undefined ? undefined : { id, time, text: words };
      }),
    ),
    outcomeReference: list<Out>(
      measuredIn(record).map(({ id }) => {
        const observation = to('goal', `progress[${id}]`, record.id, run);
        return observation && { id, ...observation };
      }),
    ),
  };
}

/** The values that no later one corrects. */
export function measuredIn(record: GoalRecord): Progress[] {
  const corrected = correctedIn(record);
  return (record.progress ?? []).filter(({ id, value }) => value !== undefined && !corrected.has(id));
}

function correctedIn({ progress = [] }: GoalRecord): ReadonlySet<string | undefined> {
  return new Set(progress.map(({ replaces }) => replaces));
}

const clinical = new Set([
  'physical-health',
  'mental-health',
  'substance-use',
  'medication',
  'activities-of-daily-living',
  'cognition',
]);

export function observation({ id, at, byId, value, unit: own }: Progress, record: GoalRecord, run: Run): Out {
  const { domain, measure } = record;
  const unit = own ?? measure?.unit;
  const isSocial = !clinical.has(domain);
  const category = (code: string): Out => [{ coding: [{ system: urls.usCoreCategory, code }] }];
  return {
    resourceType: 'Observation',
    ...head('goal', `progress[${id}]`, record, isSocial ? `${usCore}us-core-simple-observation` : undefined, run),
    status: record.status === 'entered-in-error' ? 'entered-in-error' : 'final',
    category: isSocial
      ? category('sdoh')
      : domain === 'activities-of-daily-living'
        ? category('functional-status')
        : undefined,
    code: measureOf(record, run),
    subject: to('client', 'patient', record.clientId, run),
    effectiveDateTime: at,
    performer: list([to('worker', 'role', byId, run)]),
    valueQuantity: { value, unit, ...(unit !== undefined && { system: urls.ucum, code: unit }) },
  };
}

function targetOf(target: Target, at: string, record: GoalRecord, run: Run): Out {
  const { id, value, low, high, comparator, dueOn } = target;
  const unit = target.unit ?? record.measure?.unit;
  const hasRange = low !== undefined || high !== undefined;
  if (value !== undefined && hasRange) run.issues.push({ code: 'left-out', pointer: at });
  if (target.text !== undefined && (value !== undefined || hasRange))
    run.issues.push({ code: 'left-out', pointer: at });
  const quantity = (of: number | undefined): Out =>
    of === undefined ? undefined : { value: of, unit, ...(unit !== undefined && { system: urls.ucum, code: unit }) };
  return {
    id,
    measure: measureOf(record, run),
    detailQuantity:
      value === undefined
        ? undefined
        : {
            value,
            comparator: codeIn(run.tables.quantityComparator, comparator, `${at}/comparator`, run),
            unit,
            ...(unit !== undefined && { system: urls.ucum, code: unit }),
          },
    detailRange: value === undefined && hasRange ? { low: quantity(low), high: quantity(high) } : undefined,
    detailString: value === undefined && !hasRange ? text(target.text, `${at}/text`, run) : undefined,
    dueDate: dueOn,
  };
}

function measureOf({ measure, statement }: GoalRecord, run: Run): Out {
  const table = run.tables.goalMeasure;
  return {
    coding: list<Out>([codingIn(table, measure?.code, '/measure/code', run)]),
    text:
      measure?.text !== undefined
        ? text(measure.text, '/measure/text', run)
        : measure?.code !== undefined
          ? table.words(measure.code)
          : text(statement, '/statement', run),
  };
}
