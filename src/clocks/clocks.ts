// Front door of clocks/: the promises that records start and stop, where each stands, and who is told when one is broken (docs/clocks.md).

export { dateOf, startOfDate } from './calendar.ts';
export { clockDeps } from './configured.ts';
export type { SweepDeps } from './deps.ts';
export { type CaseFacts, type Clock, type ClockOptions, type ClockRecord, clockStates, clocksOf } from './evaluate.ts';
export { type Happening, type Rule, rules } from './rules.ts';
export { clockTopics, type Swept, sweepClocks } from './sweep.ts';
