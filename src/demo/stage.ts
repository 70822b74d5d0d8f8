import type { JsonObject } from '../json.ts';
import type { Exchange } from './exchange.ts';
import type { Gateway } from './gateway.ts';
import { DemoProblem } from './problem.ts';
import type { Story } from './story.ts';

/** What each chapter of the demo works with. */
export interface Stage {
  readonly gateway: Gateway;
  readonly exchange: Exchange;
  readonly story: Story;
  readonly signal: AbortSignal;
}

/** The connection of the demo's configuration. */
export const connectionName = 'exchange';

/** Identifier system of casebridge.demo.yaml; its meta.source says who wrote. */
export const identifierSystem = 'https://riverside.example.org/casebridge';

/** The demo shows what it promises, or fails. */
export function expectThat(isTrue: boolean, promise: string, seen: string): void {
  if (!isTrue) throw new DemoProblem(`${promise} But that is not what the exchange shows: ${seen}.`);
}

/** The one thing in the list. @throws DemoProblem when there is none or more than one */
export function only(found: readonly JsonObject[], promise: string): JsonObject {
  const [first, ...others] = found;
  if (first === undefined || others.length > 0) throw new DemoProblem(`${promise} But there are ${found.length}.`);
  return first;
}
