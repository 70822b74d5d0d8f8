// The other side: a partner who reads and edits resources on the server by FHIR, in one step, as a person at a screen there would.

import { isObject, type JsonObject } from '../../src/json.ts';
import { isTaskStatus, type TaskStatus, taskPath } from '../../src/referrals/referrals.ts';
import { ownValue } from '../support/rig.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Site } from './site.ts';

export interface Edit {
  /** Occurs nowhere else. */
  readonly token: string;
  readonly resourceType: string;
  readonly id: string;
  /** The element that holds the token. */
  readonly element: string;
  /** Of a Task that was moved as well: where to. */
  readonly status?: TaskStatus;
  /** Whether a record has a place for it, so that the source is to hear of it. */
  readonly isMapped: boolean;
  /** Epoch ms of the commit. */
  readonly at: number;
  /** The number of the server's journal entry. */
  readonly entry: number;
}

export class Partner {
  readonly edits: Edit[] = [];
  readonly #random: Random;
  readonly #network: Network;

  constructor(random: Random, network: Network) {
    this.#random = random;
    this.#network = network;
  }

  /** Edits one of the resources that are ours. @returns which element of which */
  async edit(site: Site, now: number): Promise<string | undefined> {
    const { engine, journal } = site.server;
    const held = engine.store.resourceTypes.flatMap((type) =>
      [...engine.store.all(type)].flatMap(({ resource }) => (resource === undefined ? [] : [resource])),
    );
    const ours = held.filter((resource) => ownValue(resource) !== undefined && !isRetired(resource));
    const editable = ours.filter(({ resourceType }) => kinds.some(({ type }) => type === resourceType));
    if (editable.length === 0) return undefined;
    const resource = this.#random.pick(editable);
    const kind = this.#random.pick(kinds.filter(({ type }) => type === resource.resourceType));
    const token = `partner-${this.edits.length + 1}-said`;
    const changed = kind.change(resource, token, this.#random);
    if (changed === undefined) return undefined;
    const path = `${kind.type}/${String(resource.id)}`;
    const reply = await this.#network.ask(site, 'PUT', path, changed);
    if (reply?.status !== 200)
      throw new Error(`The partner's edit of ${path} was answered ${reply?.status}: ${String(reply?.body)}`);
    const { element, isMapped } = kind;
    const { status } = changed;
    this.edits.push({
      token,
      resourceType: kind.type,
      id: String(resource.id),
      element,
      ...(isTaskStatus(status) && status !== resource.status && { status }),
      isMapped,
      at: now,
      entry: journal.list(0, Number.POSITIVE_INFINITY).length,
    });
    return `${path}.${element}`;
  }
}

interface Kind {
  readonly type: string;
  readonly element: string;
  readonly isMapped: boolean;
  readonly change: (resource: JsonObject, token: string, random: Random) => JsonObject | undefined;
}

const kinds: readonly Kind[] = [
  { type: 'Task', element: 'note', isMapped: true, change: moveWithNote },
  { type: 'Task', element: 'note', isMapped: true, change: addNote },
  { type: 'Task', element: 'businessStatus', isMapped: false, change: putText('businessStatus') },
  { type: 'Goal', element: 'description', isMapped: true, change: rewrite('description') },
  {
    type: 'Goal',
    element: 'outcomeCode',
    isMapped: false,
    change: (goal, token) => ({ ...goal, outcomeCode: [{ text: token }] }),
  },
  { type: 'Condition', element: 'severity', isMapped: false, change: putText('severity') },
  {
    type: 'ServiceRequest',
    element: 'patientInstruction',
    isMapped: false,
    change: (request, token) => ({ ...request, patientInstruction: token }),
  },
  { type: 'ServiceRequest', element: 'code', isMapped: true, change: rewrite('code') },
];

function isRetired({ status, lifecycleStatus, verificationStatus }: JsonObject): boolean {
  return [status, lifecycleStatus, JSON.stringify(verificationStatus)].some((said) =>
    String(said).includes('entered-in-error'),
  );
}

function putText(element: string): Kind['change'] {
  return (resource, token) => ({ ...resource, [element]: { text: token } });
}

function rewrite(element: string): Kind['change'] {
  return (resource, token) => {
    const concept = resource[element];
    return isObject(concept) ? { ...resource, [element]: { ...concept, text: token } } : undefined;
  };
}

function addNote(task: JsonObject, token: string): JsonObject {
  const notes = Array.isArray(task.note) ? task.note : [];
  return {
    ...task,
    note: [...notes, { authorString: 'Elm Street Pantry', time: '2026-06-01T12:00:00Z', text: token }],
  };
}

const steps = ['received', 'accepted', 'rejected', 'in-progress', 'on-hold', 'completed'];

function moveWithNote(task: JsonObject, token: string, random: Random): JsonObject | undefined {
  const { status } = task;
  if (!isTaskStatus(status)) return undefined;
  const legal = steps.filter((to) => isTaskStatus(to) && taskPath(status, to, 'performer')?.length === 1);
  return legal.length === 0 ? undefined : { ...addNote(task, token), status: random.pick(legal) };
}
