// The partner at the community exchange: takes up referrals and writes into resources, by FHIR, with the version tag where the server gives one.
// Each edit carries a mark of its own. What really happened is read from the server's journal.

import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type JsonObject } from '../../src/json.ts';
import type { Random } from './random.ts';
import { objects, type Simulated } from './simulated.ts';

const nextStatus: Readonly<Record<string, string>> = {
  requested: 'accepted',
  received: 'accepted',
  accepted: 'in-progress',
};

type Change = (resource: JsonObject, mark: string) => JsonObject | undefined;

/** By resource type. A text that the source edits too is contested: whoever writes, the other is told. */
const changes: readonly (readonly [string, Change])[] = [
  ['Task', (task) => withStatus(task)],
  ['Goal', (goal, mark) => ({ ...goal, note: [...objects(goal.note), { text: mark }] })],
  ['ServiceRequest', (request, mark) => ({ ...request, note: [...objects(request.note), { text: mark }] })],
  ['CarePlan', (plan, mark) => ({ ...plan, description: mark })],
  ['Goal', (goal, mark) => withText(goal, 'description', mark)],
  ['Condition', (condition, mark) => withText(condition, 'code', mark)],
];

function withStatus(task: JsonObject): JsonObject | undefined {
  const status = nextStatus[String(task.status)];
  return status === undefined ? undefined : { ...task, status };
}

function withText(resource: JsonObject, element: string, mark: string): JsonObject | undefined {
  const held = resource[element];
  if (!isObject(held) || typeof held.text !== 'string') return undefined;
  return { ...resource, [element]: { ...held, text: `${held.text.split(' ')[0]} ${mark}` } };
}

/** By which an edit is found again; the element is named for what a later edit replaces. */
export const partnerMark = /\bpartner-\d+\b/g;

export class Partner {
  readonly #server: Simulated;
  readonly #random: Random;
  readonly #tagged: boolean;
  #count = 0;
  #edits = 0;

  /** @param tagged whether it sends If-Match */
  constructor(server: Simulated, random: Random, tagged: boolean) {
    this.#server = server;
    this.#random = random;
    this.#tagged = tagged;
  }

  /** How many edits were taken, as far as the answers say. */
  get edits(): number {
    return this.#edits;
  }

  /** Edits now and then until told to stop. */
  async work(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#random.between(everyMs / 2, everyMs * 1.5), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      // A fault of the server: it was not done, or it was and nobody said so. The journal knows.
      await this.#edit().catch(() => {});
    }
  }

  async #edit(): Promise<void> {
    const [type, change] = this.#random.pick(changes);
    this.#count += 1;
    const mark = `partner-${this.#count}`;
    const { body: found } = await this.#server.fhir('GET', `${type}?_count=100&_sort=-_lastUpdated`);
    const ids = objects(found.entry).flatMap(({ resource }) => (isObject(resource) ? [String(resource.id)] : []));
    if (ids.length === 0) return;
    const path = `${type}/${this.#random.pick(ids)}`;
    const { status, body, etag } = await this.#server.fhir('GET', path);
    const changed = status === 200 ? change(body, mark) : undefined;
    if (changed === undefined || isRetired(body)) return;
    const put = await this.#server.fhir(
      'PUT',
      path,
      changed,
      this.#tagged && etag !== undefined ? { 'if-match': etag } : {},
    );
    if (put.status === 200) this.#edits += 1;
  }
}

function isRetired(resource: JsonObject): boolean {
  return JSON.stringify(resource).includes('entered-in-error');
}
