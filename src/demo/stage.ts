import type { Gateway } from './gateway.ts';
import type { Phone } from './phone.ts';
import { type PlaceName, placeNames } from './places.ts';
import { DemoProblem } from './problem.ts';
import type { Server } from './server.ts';
import type { Story } from './story.ts';

/** What each chapter of the demo works with: the gateway and the servers around it. */
export interface Stage extends Readonly<Record<PlaceName, Server>> {
  readonly gateway: Gateway;
  /** Of the partner that has nothing else. */
  readonly phone: Phone;
  readonly story: Story;
  readonly signal: AbortSignal;
}

/** The exchange first, then the hospitals. */
export function serversOf(stage: Stage): Server[] {
  return placeNames.map((name) => stage[name]);
}

/** Identifier system of casebridge.demo.yaml; its meta.source says who wrote. */
export const identifierSystem = 'https://riverside.example.org/casebridge';

/** The demo shows what it promises, or fails. */
export function expectThat(isTrue: boolean, promise: string, seen: string): void {
  if (!isTrue) throw new DemoProblem(`${promise} But that is not what the servers show: ${seen}.`);
}

/** The one thing in the list. @throws DemoProblem when there is none or more than one */
export function only<T>(found: readonly T[], promise: string): T {
  const [first, ...others] = found;
  if (first === undefined || others.length > 0) throw new DemoProblem(`${promise} But there are ${found.length}.`);
  return first;
}
