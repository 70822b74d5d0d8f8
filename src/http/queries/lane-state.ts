// In which of the seven states a lane is (design section 8), as one SQL expression over `lane` joined with its `connection`.

import { sql } from '../../store/store.ts';

export const laneStates = ['idle', 'due', 'running', 'waiting', 'retrying', 'parked', 'paused'] as const;
export type LaneState = (typeof laneStates)[number];

export function isLaneState(text: string | undefined): text is LaneState {
  return laneStates.some((state) => state === text);
}

/** For queries that join `lane` and (left) `connection`. What a person has to mend is shown before a pause, which may end by itself. */
export const laneState = sql<LaneState>`case
  when lane.lease_until > now() then 'running'
  when lane.parked is not null or lane.stopped is not null then 'parked'
  when connection.paused is not null then 'paused'
  when lane.done < lane.wanted and lane.next_try_at is not null then 'retrying'
  when lane.done < lane.wanted then 'due'
  when lane.waiting then 'waiting'
  else 'idle'
end`;

/** The code of the reason that a lane is shown with. */
export const laneReasonCode = sql<string | null>`case
  when lane.stopped is not null then 'lane-parked-by-operator'
  when lane.parked is not null then lane.parked ->> 'code'
  when connection.paused is not null and not coalesce(lane.lease_until > now(), false) then connection.paused ->> 'code'
  else lane.reason ->> 'code'
end`;
