// What the inbound plan is made from, as its judges ask for it: what the server shows, which rows there are, whom the source knows, what a record is or
// would be called, and what a reference means. Pure.

import { type JsonObject, textAt } from '../../../json.ts';
import type { MappingSet, SlotRef } from '../../../mapping/mapping.ts';
import { openCaseStatuses, type RecordType } from '../../../records/records.ts';
import { type LaneConnection, receiverFor } from '../../lane-connection.ts';
import { hashOfSeen } from '../../links/seen.ts';
import { resolverOf } from '../../look/linked-targets.ts';
import { localName, type Named, patientsOf } from '../about.ts';
import type { Around, LinkedClient } from '../around.ts';
import type { Look, Looks } from '../look.ts';
import { isReadable, type Proposal, type ProposeContext, propose, slotFor, type Told } from '../propose.ts';
import { type InboundRow, proposedId } from '../rows.ts';

export interface InboundInput {
  readonly connection: Pick<LaneConnection, 'config' | 'vendor'>;
  readonly source: string;
  /** IANA: of the source. */
  readonly timeZone: string;
  readonly identifierSystem: string;
  readonly mappings: MappingSet;
  /** Those of the lane, the oldest first. */
  readonly rows: readonly InboundRow[];
  readonly looks: Looks;
  /** Attachments that were read, by the name of their Binary. */
  readonly texts: ReadonlyMap<string, AttachmentLook>;
  readonly around: Around;
  /** Database time. */
  readonly now: Date;
}

/** `unread`: the server could not say now. */
export type AttachmentLook = Look | 'unread';

/** What a referral may point at, and a source is offered with it. */
export const pointedTypes: Readonly<Record<string, RecordType>> = {
  Condition: 'need',
  Goal: 'goal',
  Coverage: 'coverage',
};

export class View {
  readonly input: InboundInput;
  readonly #context: ProposeContext;

  constructor(input: InboundInput) {
    this.input = input;
    const { linked } = input.around;
    this.#context = {
      ...this.#unresolved,
      resolve: resolverOf(new Map([...this.#proposed(true), ...linked]), this.baseUrl),
      resolveAsProposed: resolverOf(new Map([...linked, ...this.#proposed(false)]), this.baseUrl),
    };
  }

  get baseUrl(): string {
    return this.input.connection.config.baseUrl;
  }

  body(named: Named): JsonObject | undefined {
    const look = this.input.looks.get(localName(named));
    return look === undefined || typeof look === 'string' ? undefined : look.body;
  }

  /** A hash of what the server shows of it, or why there is none. */
  shown(named: Named): string {
    const look = this.input.looks.get(localName(named));
    return look === undefined ? 'unread' : typeof look === 'string' ? look : hashOfSeen(look.body);
  }

  row(type: RecordType, { resourceType, id }: Named): InboundRow | undefined {
    return this.input.rows.find(
      (row) => row.type === type && row.resource_type === resourceType && row.remote_id === id,
    );
  }

  client(patient: string | undefined): LinkedClient | undefined {
    return this.input.around.clients.get(patient ?? '');
  }

  openCases(patient: string): JsonObject[] {
    const cases = this.client(patient)?.cases ?? [];
    return cases.filter(({ status }) => openCaseStatuses.some((open) => open === status));
  }

  /** The source has not taken over the client who was offered, so a client whom it has is another record. */
  isKnownOtherwise(patient: string): boolean {
    const client = this.row('client', patientNamed(patient));
    return client?.state === 'proposed' || client?.state === 'withdrawn';
  }

  /** The record, in this source, of the organization whose server this is. */
  get hospital(): string | undefined {
    return receiverFor(this.input.connection.config, this.input.source).organization;
  }

  /** Under which id it is offered. */
  proposedId(type: RecordType | 'none', { resourceType, id }: Named): string {
    return proposedId(this.input.connection.config.id, type, resourceType, id);
  }

  /** The source's own id of a patient, or the one under which a stranger is offered. */
  clientId(patient: string): string {
    return this.client(patient)?.id ?? this.proposedId('client', patientNamed(patient));
  }

  /** The record of the source that a Reference means. */
  meant(reference: JsonObject): SlotRef | undefined {
    return this.#context.resolve(textAt(reference, 'reference') ?? '');
  }

  propose(told: Told, updatedAt = ''): Proposal {
    return propose(this.#context, told, updatedAt);
  }

  /** While it is not known what references mean. */
  get #unresolved(): ProposeContext {
    const { connection, mappings, timeZone } = this.input;
    const none = () => undefined;
    return { connection: connection.config.id, mappings, timeZone, resolve: none, resolveAsProposed: none };
  }

  /** What references mean while no link says it. @param asAnswered by the names under which the source has taken them over */
  #proposed(asAnswered: boolean): [string, SlotRef][] {
    const { looks, mappings } = this.input;
    return [...looks.keys()].flatMap((name): [string, SlotRef][] => {
      const [resourceType = '', id = ''] = name.split('/');
      const named = { resourceType, id };
      if (resourceType === 'Patient') {
        const clientId = asAnswered ? this.clientId(id) : this.proposedId('client', named);
        return [[name, { type: 'client', id: clientId, slot: 'patient' }]];
      }
      const type = pointedTypes[resourceType];
      const slot = type && slotFor(mappings, type, resourceType);
      if (type === undefined || slot === undefined) return [];
      const row = this.row(type, named);
      if (row?.state === 'refused' || !this.#canBeOffered(type, slot, named)) return [];
      const recordId = (asAnswered ? row?.record_id : undefined) ?? this.proposedId(type, named);
      return [[name, { type, id: recordId, slot }]];
    });
  }

  /** It says enough to be a record, and of nobody but the patient of this lane. */
  #canBeOffered(type: RecordType, slot: string, named: Named): boolean {
    const body = this.body(named);
    if (body === undefined) return false;
    const told: Told = { type, id: '', origin: named, resources: [{ slot, body }], fixed: {} };
    const { record } = propose(this.#unresolved, told, '');
    const patients = patientsOf(body, this.baseUrl);
    const isTheirs = patients.every((patient) => this.input.rows.some((row) => row.patient === patient));
    return isTheirs && isReadable(type, record);
  }
}

export function patientNamed(id: string): Named {
  return { resourceType: 'Patient', id };
}

/** Of what the server shows; null: nothing. */
export function hashOf(body: JsonObject | undefined): string | null {
  return body === undefined ? null : hashOfSeen(body);
}
