// A model check in small: two workers on one lane of two records, one change of the source and one misfortune, in every order in which they can meet.
// Instead of keeping states it plays each order from the beginning; an order that comes to a state from which another has gone on ends there.

import { Choices } from './choices.ts';
import { changeRules, type Mechanism, sabotages } from './sabotage.ts';
import { type Model, play } from './small-world.ts';
import type { Stage } from './stage.ts';

/** Each but `change` with the two records as they were first sent. */
export const models = {
  quiet: { isChanged: false, misfortunes: [] },
  change: { isChanged: true, misfortunes: [] },
  drop: { isChanged: false, misfortunes: ['drop'] },
  crash: { isChanged: false, misfortunes: ['crash'] },
  freeze: { isChanged: false, misfortunes: ['freeze'] },
  store: { isChanged: false, misfortunes: ['store'] },
} as const satisfies Readonly<Record<string, Model>>;
export type ModelName = keyof typeof models;

export function isModel(name: string): name is ModelName {
  return name in models;
}

export interface Explored {
  /** Played, each from the beginning. */
  readonly orders: number;
  /** Different ones in which more than one thing could happen next. */
  readonly states: number;
  /** Of the first order that went wrong. */
  readonly violations: readonly string[];
  readonly isWhole: boolean;
}

/** Plays all orders, or as many as `most`; ends at the first that goes wrong. */
export async function explore(
  stage: Stage,
  name: ModelName,
  { without, most = Number.POSITIVE_INFINITY }: { readonly without?: Mechanism; readonly most?: number } = {},
): Promise<Explored> {
  const sabotage = without === undefined ? {} : sabotages[without];
  const seen = new Set<string>();
  const open: (readonly number[])[] = [[]];
  let orders = 0;
  await changeRules(stage.database, sabotage.rules?.make);
  try {
    for (let path = open.pop(); path !== undefined && orders < most; path = open.pop()) {
      orders += 1;
      const choices = new Choices(path);
      const violations = await play({ stage, model: models[name], sabotage, choices, seen });
      if (violations.length > 0) return { orders, states: seen.size, violations, isWhole: false };
      open.push(...choices.others);
    }
    return { orders, states: seen.size, violations: [], isWhole: open.length === 0 };
  } finally {
    await changeRules(stage.database, sabotage.rules?.drop);
  }
}
