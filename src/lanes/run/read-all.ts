// Reads what a lane is linked to, one after another, and goes on past what cannot be read as long as it may be that one alone.

import type { Reason } from '../../errors.ts';
import type { Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import { readLinked } from '../look/read.ts';
import type { Failure } from '../look/search-failure.ts';
import type { RunMemory } from './run-memory.ts';

/** Looks in a row that the server has answered with no resource: where it has shown none before them, then it is not the resources. */
const mostUnread = 3;

/** The looks of one run, which remembers them in its memory. */
export class LinkedReader {
  readonly #run: Run;
  readonly #memory: RunMemory;
  /** Types of the last that could not be read, since one could. */
  #unreadInRow: string[] = [];

  constructor(run: Run, memory: RunMemory) {
    this.#run = run;
    this.#memory = memory;
  }

  /** Linked, and not looked at in this run: what its documents or messages tell needs no look. */
  isUnread({ link, resourceType, document, observed, unread }: LaneResource): boolean {
    if (document?.isHeld === true || observed?.isTold === true || unread !== undefined) return false;
    if (link === undefined || link.retired) return false;
    const name = `${resourceType}/${link.remoteId}`;
    return !this.#memory.fresh.has(name) && !this.#memory.looked.has(name);
  }

  /** @returns whether the server holds anything otherwise than was seen of it before; a failure: the run is not to go on */
  async readAll(
    resources: readonly LaneResource[],
  ): Promise<{ readonly kind: 'read'; readonly isNews: boolean } | Failure> {
    const { fresh, looked, unread, refused, lane } = this.#memory;
    let isNews = false;
    for (const resource of lastUnreadLast(resources, lane.unread)) {
      if (resource.link === undefined) continue;
      const name = nameOf(resource.key);
      const spared = this.#sparedFor(resource);
      if (spared !== undefined) {
        unread.set(name, spared);
        continue;
      }
      const read = await readLinked(this.#run, resource, resource.link, fresh);
      if (read.kind === 'config') return read;
      lane.unread.delete(name);
      if (read.kind === 'again') {
        lane.unread.add(name);
        this.#unreadInRow.push(resource.resourceType);
        const isServer = this.#unreadInRow.length >= mostUnread && fresh.size + looked.size === 0;
        if (read.isAlone !== true || isServer) return read;
        unread.set(name, read.reason);
      } else this.#unreadInRow = [];
      if (read.kind === 'parked') refused.set(name, read.reason);
      isNews ||= read.kind !== 'read' || read.isNews;
    }
    return { kind: 'read', isNews };
  }

  /** Why it is not asked for in this run: after some that could not be read, more of their kind would only stop the connection. */
  #sparedFor({ key, resourceType }: LaneResource): Reason | undefined {
    if (this.#unreadInRow.length < mostUnread) return undefined;
    const isLikely = this.#unreadInRow.includes(resourceType) || this.#memory.lane.unread.has(nameOf(key));
    return isLikely ? [...this.#memory.unread.values()].at(-1) : undefined;
  }
}

/** The one that has been tried last comes last of all, so that each of many has its turn. */
function lastUnreadLast(resources: readonly LaneResource[], unread: ReadonlySet<string>): LaneResource[] {
  const names = [...unread];
  const place = ({ key }: LaneResource) => names.indexOf(nameOf(key));
  return resources.toSorted((one, other) => place(one) - place(other));
}
