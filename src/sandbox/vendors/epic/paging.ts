// Pages of a search (E16). The next link names a session and nothing of the query; it is good once and for a minute. The total of a page
// is what is on it, and since results are filtered late, the second of several pages is one short and yet not the last.

import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../json.ts';
import type { VirtualClock } from '../../clock.ts';
import type { Version } from '../../engine/store.ts';
import { searchEntry, searchset } from './bundle.ts';
import { type EpicIssue, refused } from './outcome.ts';
import { hasQuirk } from './settings.ts';
import type { Site } from './site.ts';

interface Result {
  versions: readonly Version[];
  /** Of all pages. */
  total: number;
  /** Asked for; where not, a page is as long as it may be, and tells the true total. */
  count: number | undefined;
  /** Said on the first page. */
  outcome: readonly EpicIssue[];
  self: string;
  added(page: readonly Version[]): Version[];
}

interface Session {
  type: string;
  rest: Result;
  page: number;
  until: number;
}

const longestPage = 1000;

export class Sessions {
  readonly #clock: VirtualClock;
  readonly #open = new Map<string, Session>();
  #last = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  first(site: Site, type: string, result: Result): JsonObject {
    return this.#answer(site, type, result, 1);
  }

  /** @throws EpicRefusal 400 for a session that has expired, was used, or never was */
  page(site: Site, type: string, id: string): JsonObject {
    const session = this.#open.get(id);
    const strict = hasQuirk(site.settings, 'E16');
    if (session?.type !== type || (strict && session.until < this.#clock.now())) {
      throw refused(400, '4113', 'Start the search again.', 'sessionID');
    }
    if (strict) this.#open.delete(id);
    return this.#answer(site, type, session.rest, session.page);
  }

  clear(): void {
    this.#open.clear();
    this.#last = 0;
  }

  #answer(site: Site, type: string, result: Result, page: number): JsonObject {
    const { versions, total, outcome, self, added } = result;
    const strict = hasQuirk(site.settings, 'E16');
    const count = result.count ?? longestPage;
    const isShort = strict && page === 2 && count > 1 && versions.length > count;
    const here = versions.slice(0, isShort ? count - 1 : count);
    const rest = versions.slice(here.length);
    const next =
      rest.length === 0 ? undefined : this.#keep(site, type, { ...result, versions: rest, outcome: [] }, page + 1);
    const entries = here.map((version) => searchEntry(site, version, { mode: 'match' }));
    const others = added(here).map((version) => searchEntry(site, version, { mode: 'include' }));
    const bundle = searchset(site, self, [...entries, ...others], outcome, next);
    return { ...bundle, total: strict && result.count !== undefined ? here.length : total };
  }

  #keep(site: Site, type: string, rest: Result, page: number): string {
    this.#last += 1;
    const id = `17-${createHash('md5').update(String(this.#last)).digest('hex').toUpperCase()}`;
    this.#open.set(id, { type, rest, page, until: this.#clock.now() + site.settings.pageSeconds * 1000 });
    return `${site.base}/${type}?sessionID=${id}`;
  }
}
