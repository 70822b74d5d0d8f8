// The gateway as its callers use it: the case-management system with its token, the operator with another.

import { isObject, type Json, type JsonObject } from '../json.ts';
import type { RecordLine } from './caseload.ts';
import { call } from './http.ts';
import { DemoProblem } from './problem.ts';
import { at, objectsAt, textAt } from './reading.ts';
import { type Patience, until } from './until.ts';

export interface Tokens {
  readonly county: string;
  readonly ops: string;
}

export interface Link {
  readonly connection: string;
  readonly slot: string;
  /** `Type/id` on the server; undefined where nothing is there. */
  readonly resource: string | undefined;
  readonly state: string;
  /** Why it is there, or is not. */
  readonly reason: string;
}

// What is due, runs or will be tried again; all else rests until something new happens or its time comes.
const busyStates = ['due', 'running', 'retrying'];
const soonMs = 5_000;

function isBusy(lane: JsonObject): boolean {
  const lookAt = Date.parse(textAt(lane, 'nextLookAt'));
  return busyStates.includes(textAt(lane, 'state')) || lookAt < Date.now() + soonMs;
}

export class Gateway {
  readonly url: string;
  readonly #tokens: Tokens;
  readonly #watch: Omit<Patience, 'seconds'>;
  readonly #sent = new Map<string, Pick<RecordLine, 'type'> & { readonly id: string }>();

  constructor(url: string, tokens: Tokens, watch: Omit<Patience, 'seconds'>) {
    this.url = url;
    this.#tokens = tokens;
    this.#watch = watch;
  }

  /** Sends records as NDJSON. @returns how many were accepted. @throws DemoProblem when one was not */
  async send(lines: readonly RecordLine[]): Promise<number> {
    const ndjson = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const answer = await this.#call('POST', '/api/records', { body: ndjson, mediaType: 'application/x-ndjson' });
    const answers = objectsAt({ lines: answer ?? [] }, 'lines');
    const refused = answers.find(({ outcome }) => outcome !== undefined && outcome !== 'accepted');
    if (refused !== undefined) throw new DemoProblem(`The gateway did not accept a record: ${JSON.stringify(refused)}`);
    const { done, accepted } = answers.at(-1) ?? {};
    if (done !== true || accepted !== lines.length)
      throw new DemoProblem('The answer to POST /api/records was cut off.');
    for (const { type, record } of lines) this.#sent.set(`${type}/${record.id}`, { type, id: record.id });
    return accepted;
  }

  /** Every record that was sent, once. */
  get sent(): (Pick<RecordLine, 'type'> & { readonly id: string })[] {
    return [...this.#sent.values()];
  }

  /** Replaces one record, as its source. */
  async put(type: string, record: JsonObject): Promise<void> {
    await this.#call('PUT', `/api/records/${type}/${textAt(record, 'id')}`, { body: record });
  }

  /** The record as its source last sent it. */
  async record(type: string, id: string): Promise<JsonObject> {
    const record = at(await this.#call('GET', `/api/records/${type}/${id}`), 'record');
    if (isObject(record)) return record;
    throw new DemoProblem(`The gateway shows no record ${type}/${id}.`);
  }

  /** Where the record went; on one connection, or on all. */
  async links(type: string, id: string, connection?: string): Promise<Link[]> {
    const answer = await this.#call('GET', `/api/records/${type}/${id}`);
    const links = objectsAt(answer, 'links').map((link) => ({
      connection: textAt(link, 'connection'),
      slot: textAt(link, 'slot'),
      resource: typeof link.id === 'string' ? `${textAt(link, 'resourceType')}/${link.id}` : undefined,
      state: textAt(link, 'state'),
      reason: textAt(link, 'reason', 'text'),
    }));
    return connection === undefined ? links : links.filter((link) => link.connection === connection);
  }

  /** What the source is told the other side did, from the beginning. */
  async changes(): Promise<JsonObject[]> {
    return objectsAt(await this.#call('GET', '/api/changes?limit=1000'), 'items');
  }

  /** The clocks of these records: by what they promise, how they stand. */
  async clocks(...ids: readonly string[]): Promise<JsonObject[]> {
    const all = objectsAt(await this.#call('GET', '/api/clocks?limit=1000'), 'items');
    return all.filter(({ id }) => ids.some((one) => one === id));
  }

  /** Waits until the clock of a record stands like this. @returns the clock */
  async untilClock(id: string, rule: string, states: readonly string[]): Promise<JsonObject> {
    const what = `the clock ${rule} of ${id} to be ${states.join(' or ')}`;
    return until<JsonObject>(what, { ...this.#watch, seconds: 60 }, async () => {
      const clock = (await this.clocks(id)).find((one) => one.rule === rule);
      const state = textAt(clock, 'state');
      return clock !== undefined && states.includes(state)
        ? { found: clock }
        : { missing: state === '' ? 'there is none yet' : `it is ${state}` };
    });
  }

  /** What the source is alerted to, for its workers. */
  async alerts(): Promise<JsonObject[]> {
    return objectsAt(await this.#call('GET', '/api/alerts?limit=1000'), 'items');
  }

  /** A case as an operator sees it, with what happened in it, newest first. */
  async timeline(id: string): Promise<JsonObject[]> {
    return objectsAt(await this.#operate('GET', `/api/cases/${id}?source=county`), 'timeline');
  }

  async lanes(): Promise<JsonObject[]> {
    return objectsAt(await this.#operate('GET', '/api/lanes?limit=1000'), 'items');
  }

  async decisions(): Promise<JsonObject[]> {
    return objectsAt(await this.#operate('GET', '/api/decisions?limit=1000'), 'items');
  }

  /** What a connection can do, and the route of each kind of record. */
  async capabilities(connection: string): Promise<Json | undefined> {
    return this.#operate('GET', `/api/connections/${connection}/capabilities`);
  }

  async runLane(connection: string, subject: string): Promise<void> {
    await this.#operate('POST', `/api/lanes/${connection}/${subject}/run`);
  }

  /** Waits until no lane has anything to do now or within seconds, as when a document waits for its quiet time. */
  async untilIdle(what: string): Promise<void> {
    await until(what, { ...this.#watch, seconds: 120 }, async () => {
      const busy = (await this.lanes()).filter(isBusy);
      if (busy.length === 0) return { found: true };
      const shown = busy.slice(0, 3).map((lane) => {
        const why = textAt(lane, 'reason', 'text');
        return `${textAt(lane, 'subject')} is ${textAt(lane, 'state')}${why === '' ? '' : ` (${why})`}`;
      });
      return { missing: `${busy.length} lanes are at work, such as ${shown.join('; ')}` };
    });
  }

  /** Waits until the change feed says this status of a referral. @returns the change */
  async untilChanged(referral: string, status: string): Promise<JsonObject> {
    const what = `"${status}" in the change feed`;
    return until<JsonObject>(what, { ...this.#watch, seconds: 30 }, async () => {
      const changes = (await this.changes()).filter(({ id }) => id === referral);
      const found = changes.find((change) => textAt(change, 'patch', 'status') === status);
      return found === undefined ? { missing: `the feed holds ${changes.length} changes of this referral` } : { found };
    });
  }

  /** Waits until the change feed proposes a referral that began at a connection. @returns all that is proposed from there, in its order */
  async untilProposed(connection: string): Promise<JsonObject[]> {
    return until<JsonObject[]>('a proposal in the change feed', { ...this.#watch, seconds: 30 }, async () => {
      const proposed = (await this.changes()).filter((one) => one.op === 'propose' && one.connection === connection);
      const isWhole = proposed.some(({ type }) => type === 'referral');
      return isWhole ? { found: proposed } : { missing: `the feed holds ${proposed.length} proposals from there` };
    });
  }

  #call(method: string, path: string, request: { body?: unknown; mediaType?: string } = {}): Promise<Json | undefined> {
    return this.#request(this.#tokens.county, method, path, request);
  }

  #operate(method: string, path: string): Promise<Json | undefined> {
    return this.#request(this.#tokens.ops, method, path, {});
  }

  async #request(token: string, method: string, path: string, request: object): Promise<Json | undefined> {
    const { body } = await call(method, `${this.url}${path}`, { ...request, token, signal: this.#watch.signal });
    return body;
  }
}
