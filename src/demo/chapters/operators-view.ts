// What an operator can look up afterwards: all that happened in a case, on which side.

import { evenings } from '../page-partner.ts';
import { textAt } from '../reading.ts';
import { expectThat, type Stage } from '../stage.ts';

/** Of all that is told: what people did, and what became of the promises. */
const kinds = ['record', 'partner', 'change', 'clock'];
const caseId = `case-${evenings.person.name}`;

/** Where the console shows the case. */
export function consoleAddress({ gateway }: Stage): string {
  return `${gateway.url}/console/cases/${caseId}`;
}

export async function showTimeline(stage: Stage): Promise<void> {
  const { story, gateway } = stage;
  const { person } = evenings;
  story.chapter(`What an operator sees: the case of ${person.given} ${person.family}`);
  const timeline = await gateway.timeline(caseId);
  const sides = new Set(timeline.map((entry) => textAt(entry, 'side', 'kind')));
  expectThat(
    ['agency', 'gateway', 'partner'].every((side) => sides.has(side)),
    'The timeline tells what each side did.',
    JSON.stringify([...sides]),
  );
  const told = timeline.filter(({ id, kind }) => id === evenings.id && kinds.includes(String(kind)));
  story.say(
    `GET /api/cases/${caseId} tells of ${timeline.length} things that happened. What people did about her referral to the partner:`,
  );
  story.table(
    told
      .toReversed()
      .map((entry) => [textAt(entry, 'at').slice(11, 19), textAt(entry, 'side', 'kind'), textAt(entry, 'text')]),
  );
  story.say(
    `As a page for operators: ${new URL(consoleAddress(stage)).pathname} (npm run demo -- --keep leaves it running).`,
  );
}
