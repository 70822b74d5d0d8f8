// What is said of needs and goals. Diagnosis codes, notes on progress and who else is responsible stay out.

import { type JsonObject, numberAt, objectAt, objectsAt, textAt } from '../json.ts';
import { shown } from './clean.ts';
import { byRank, goalRank, needRank } from './order.ts';
import { present } from './values.ts';

export function needFacts(needs: readonly JsonObject[], positions: ReadonlyMap<string, number>): JsonObject[] {
  return byRank(needs, needRank(positions)).map((need) =>
    present({
      id: textAt(need, 'id'),
      domain: textAt(need, 'domain'),
      description: shown(textAt(need, 'description'), 240),
      status: textAt(need, 'status'),
      risk: textAt(need, 'riskLevel'),
      confirmedBy: textAt(need, 'confirmedBy'),
      identifiedOn: textAt(need, 'identifiedOn'),
      resolvedOn: textAt(need, 'resolvedOn'),
    }),
  );
}

export function goalFacts(goals: readonly JsonObject[], positions: ReadonlyMap<string, number>): JsonObject[] {
  return byRank(goals, goalRank(positions)).map((goal) => {
    const measure = objectAt(goal, 'measure');
    const unit = textAt(measure, 'unit');
    return present({
      id: textAt(goal, 'id'),
      statement: shown(textAt(goal, 'statement'), 200),
      domain: textAt(goal, 'domain'),
      status: textAt(goal, 'status'),
      achievement: textAt(goal, 'achievement'),
      achievedOn: textAt(goal, 'achievedOn'),
      measure: shown(textAt(measure, 'text') ?? textAt(measure, 'code')?.replaceAll('-', ' '), 60),
      dueOn: textAt(goal, 'dueOn'),
      targets: objectsAt(goal, 'targets').map((target) =>
        present({
          comparator: textAt(target, 'comparator'),
          value: numberAt(target, 'value'),
          low: numberAt(target, 'low'),
          high: numberAt(target, 'high'),
          text: shown(textAt(target, 'text'), 120),
          unit: textAt(target, 'unit') ?? unit,
          dueOn: textAt(target, 'dueOn'),
        }),
      ),
      latest: latestOf(goal, unit),
    });
  });
}

// The newest entry that says a value or how it goes, and that no later one corrects.
function latestOf(goal: JsonObject, unit: string | undefined): JsonObject | undefined {
  const entries = objectsAt(goal, 'progress');
  const corrected = new Set(entries.map((entry) => textAt(entry, 'replaces')));
  const [latest] = entries
    .filter((entry) => !corrected.has(textAt(entry, 'id')))
    .filter((entry) => entry.value !== undefined || entry.achievement !== undefined)
    .toSorted((a, b) => Date.parse(textAt(b, 'at') ?? '') - Date.parse(textAt(a, 'at') ?? ''));
  return (
    latest &&
    present({
      at: textAt(latest, 'at'),
      value: numberAt(latest, 'value'),
      unit: latest.value === undefined ? undefined : (textAt(latest, 'unit') ?? unit),
      achievement: textAt(latest, 'achievement'),
    })
  );
}
