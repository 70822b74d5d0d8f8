// The order of importance within each list: what is open, then what is dangerous, then what the plan puts first. Ties go by id, so that
// the same records in another order make the same document.

import { type JsonObject, numberAt, textAt } from '../json.ts';

export type Rank = (record: JsonObject) => readonly (number | string)[];

/** From most to least dangerous. */
export const risks: readonly string[] = ['crisis', 'high', 'moderate', 'low'];

const needStatuses = ['identified', 'addressing', 'declined', 'unmet', 'met'];
const goalStatuses = ['active', 'accepted', 'proposed', 'on-hold', 'completed', 'cancelled', 'rejected'];
const priorities = ['high', 'medium', 'low'];

export function byRank(records: readonly JsonObject[], rank: Rank): JsonObject[] {
  return records
    .map((record) => ({ record, rank: [...rank(record), textAt(record, 'id') ?? ''] }))
    .toSorted((a, b) => compare(a.rank, b.rank))
    .map(({ record }) => record);
}

export function needRank(positions: ReadonlyMap<string, number>): Rank {
  return (need) => {
    const status = place(needStatuses, textAt(need, 'status'));
    return [
      Math.max(status - 1, 0),
      place(risks, textAt(need, 'riskLevel')),
      at(positions, need),
      numberAt(need, 'priority') ?? 10,
    ];
  };
}

export function goalRank(positions: ReadonlyMap<string, number>): Rank {
  return (goal) => [
    place(goalStatuses, textAt(goal, 'status')),
    place(priorities, textAt(goal, 'priority')),
    at(positions, goal),
    textAt(goal, 'dueOn') ?? '9999',
  ];
}

export function place(order: readonly string[], value: string | undefined): number {
  const index = order.indexOf(value ?? '');
  return index < 0 ? order.length : index;
}

function at(positions: ReadonlyMap<string, number>, record: JsonObject): number {
  return positions.get(textAt(record, 'id') ?? '') ?? positions.size;
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? '';
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
