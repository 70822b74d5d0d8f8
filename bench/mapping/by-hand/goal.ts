// A goal by hand: one Goal.

import type { GoalRecord } from '../../../src/records/records.ts';
import { sdohcc, urls } from './urls.ts';
import { codeIn, codingIn, concept, head, list, type Out, type Run, text, to, toAll } from './values.ts';

type Target = NonNullable<GoalRecord['targets']>[number];

export function goal(record: GoalRecord, run: Run): Out {
  const { dueOn } = record;
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
        const words = text(note, `/progress/${at}/note`, run);
        return words === undefined ? undefined : { id, time, text: words };
      }),
    ),
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
