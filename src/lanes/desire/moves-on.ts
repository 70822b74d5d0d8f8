// The moves of a Task that a server takes: those of the diagram, as far as its vendor allows them.

import { isOffered, type Vendor } from '../../connections/connections.ts';
import { referralTaskMoves, type TaskMoves, taskStatuses } from '../../referrals/referrals.ts';

const narrowed = new WeakMap<Vendor, TaskMoves>();

export function movesOn(vendor: Vendor): TaskMoves {
  const { taskMoves } = vendor;
  if (!isOffered(taskMoves)) return referralTaskMoves;
  const known = narrowed.get(vendor);
  if (known !== undefined) return known;
  const moves: TaskMoves = Object.fromEntries(
    taskStatuses.map((from) => {
      const allowed = taskMoves[from] ?? [];
      const drawn = Object.entries(referralTaskMoves[from] ?? {}).filter(([to]) => allowed.includes(to));
      return [from, Object.fromEntries(drawn)];
    }),
  );
  narrowed.set(vendor, moves);
  return moves;
}
