// What an operator can look up afterwards: all that happened in a case, on which side.

import { evenings } from '../page-partner.ts';
import { textAt } from '../reading.ts';
import { expectThat, type Stage } from '../stage.ts';

const shown = 8;
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
    timeline.length > shown && ['agency', 'gateway', 'partner'].every((side) => sides.has(side)),
    'The timeline tells what each side did.',
    JSON.stringify([...sides]),
  );
  story.say(`GET /api/cases/${caseId} tells of ${timeline.length} things that happened. The newest:`);
  story.table(
    timeline
      .slice(0, shown)
      .map((entry) => [textAt(entry, 'at').slice(11, 19), textAt(entry, 'side', 'kind'), textAt(entry, 'text')]),
  );
  story.say(
    `As a page for operators: ${new URL(consoleAddress(stage)).pathname} (npm run demo -- --keep leaves it running).`,
  );
}
