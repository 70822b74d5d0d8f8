// The second pass: every lane is run again. Everything is read from the exchange once more, and nothing is written (lanes.md 27).

import { caseload } from '../caseload.ts';
import { isRead, isWrite } from '../exchange.ts';
import { textAt } from '../reading.ts';
import { expectThat, type Stage } from '../stage.ts';

export interface SecondPass {
  readonly reads: number;
  readonly writes: number;
}

export async function runEverythingAgain({ gateway, exchange, story }: Stage): Promise<SecondPass> {
  story.chapter('Everything again: a second pass over every lane');
  const linked = new Set<string>();
  for (const { type, record } of caseload()) {
    for (const { resource } of await gateway.links(type, record.id)) if (resource !== undefined) linked.add(resource);
  }
  const lanes = await gateway.lanes();
  const after = (await exchange.journal()).at(-1)?.n ?? 0;
  for (const lane of lanes) await gateway.runLane(textAt(lane, 'connection'), textAt(lane, 'subject'));
  await gateway.untilIdle('the second pass');
  const entries = await exchange.journal(after);
  const read = new Set(entries.filter(isRead).map(({ path }) => path));
  const unread = [...linked].filter((resource) => !read.has(resource));
  expectThat(unread.length === 0, 'The second pass reads every linked resource.', `${unread.join(', ')} was not read`);
  const pass = { reads: entries.filter(isRead).length, writes: entries.filter(isWrite).length };
  story.say(`${lanes.length} lanes were run again. By the exchange's own journal: ${pass.reads} reads of resources`);
  story.say(`(${linked.size} are linked, each was read), ${pass.writes} writes.`);
  return pass;
}
