// The second pass: every lane is run again. Everything is read from the servers once more, and nothing is written (lanes.md 27).

import { textAt } from '../reading.ts';
import { isRead, isWrite, type Server } from '../server.ts';
import { expectThat, type Stage, serversOf } from '../stage.ts';

export interface SecondPass {
  readonly reads: number;
  readonly writes: number;
}

/** @returns the requests that reached all servers together */
export async function runEverythingAgain(stage: Stage): Promise<SecondPass> {
  const { gateway, story } = stage;
  story.chapter('Everything again: a second pass over every lane');
  const linked = await linkedByConnection(stage);
  const lanes = await gateway.lanes();
  const servers = serversOf(stage);
  const starts = await Promise.all(servers.map((server) => server.lastRequest()));
  await Promise.all(lanes.map((lane) => gateway.runLane(textAt(lane, 'connection'), textAt(lane, 'subject'))));
  await gateway.untilIdle('the second pass');
  story.say(`${lanes.length} lanes were run again. By the servers' own journals:`);
  const rows: string[][] = [];
  const whole = { reads: 0, writes: 0 };
  for (const [index, server] of servers.entries()) {
    const own = linked.get(server.place.connection) ?? new Set<string>();
    const pass = await passOf(server, starts[index] ?? 0, own);
    rows.push([
      server.place.name,
      `${own.size} resources linked, each read`,
      `${pass.reads} reads`,
      `${pass.writes} writes`,
    ]);
    whole.reads += pass.reads;
    whole.writes += pass.writes;
  }
  story.table(rows);
  return whole;
}

async function linkedByConnection({ gateway }: Stage): Promise<Map<string, Set<string>>> {
  const linked = new Map<string, Set<string>>();
  for (const { type, id } of gateway.sent) {
    for (const { connection, resource } of await gateway.links(type, id)) {
      if (resource !== undefined) linked.set(connection, (linked.get(connection) ?? new Set()).add(resource));
    }
  }
  return linked;
}

async function passOf(server: Server, after: number, linked: ReadonlySet<string>): Promise<SecondPass> {
  const entries = await server.journal(after);
  const read = new Set(entries.filter(isRead).map(({ path }) => path));
  const unread = [...linked].filter((resource) => !read.has(resource));
  const promise = `The second pass reads every resource that is linked at ${server.place.name}.`;
  expectThat(linked.size > 0 && unread.length === 0, promise, `${unread.join(', ')} was not read`);
  const written = entries.filter(isWrite);
  expectThat(
    written.length === 0,
    `The second pass writes nothing at ${server.place.name}.`,
    written.map(({ method, path }) => `${method} ${path}`).join(', '),
  );
  return { reads: entries.filter(isRead).length, writes: written.length };
}
