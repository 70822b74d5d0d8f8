// What settling a resource is given, one look at it, and what comes of that. Pure.

import { type JsonObject, pointerStep } from '../../json.ts';
import {
  type AbsorbedElement,
  type Facts,
  isEnteredInError,
  type MappingIssue,
  type NotUnderstood,
  type ProjectContext,
  type SlotRef,
} from '../../mapping/mapping.ts';
import type { NewDecision } from '../decisions/decisions.ts';
import type { LaneResource, LinkState, Observation } from '../lane-resource.ts';
import type { TaskResults } from '../look/task-results.ts';
import { withFact } from '../merge.ts';
import type { CountReverts, Revert } from './reverts.ts';

export interface SettleContext {
  /** IANA: of the record's source. */
  readonly timeZone: string;
  /** Which of our resources a server's reference points at. */
  readonly resolve: (reference: string) => SlotRef | undefined;
  /** As the resources were projected. */
  readonly isTold?: ProjectContext['isTold'];
  /** Who acts on the other side, as a line of text. */
  readonly performerName: (resource: LaneResource) => string | undefined;
  /** The fields of its record that were offered to the source and not taken over yet, as they would be with that; null for one that would be gone. */
  readonly offeredOf: (resource: LaneResource) => JsonObject;
  /** What the Procedures say that a completed Task names (`task-results.ts`). */
  readonly resultsOf: (resource: LaneResource) => TaskResults;
  /** A stable id for a list item that the other side began. */
  readonly itemId: (text: string) => string;
  readonly countReverts: CountReverts;
  /** Why a question is open and what it shows, by its topic. */
  readonly openQuestion: (topic: string) => Pick<NewDecision, 'reason' | 'detail'> | undefined;
  /** A Task of their own asks us to cancel its referral. */
  readonly isAskedByTask: (resource: LaneResource) => boolean;
}

export interface Settlement {
  readonly resource: LaneResource;
  readonly sent: Facts;
  readonly seen: Facts;
  readonly seenHash: string;
  /** The version of the record that all of `sent` says; undefined: none is known to. */
  readonly sentVersion: number | undefined;
  /** Merge patches on the record for its source. */
  readonly patches: readonly JsonObject[];
  /** Elements that the patches were read from and that are ours to write over. */
  readonly offered: readonly string[];
  readonly decisions: readonly NewDecision[];
  /** Topics of open questions that answered themselves, or are asked anew. */
  readonly obsolete: readonly string[];
  /** What of theirs could not be carried over. */
  readonly issues: readonly MappingIssue[];
  /** Which of their elements the patches are made from, and what else they say. */
  readonly lineage: { readonly elements: readonly AbsorbedElement[]; readonly notUnderstood: readonly NotUnderstood[] };
  /** Elements in which theirs took the place of what we left there. */
  readonly reverts: readonly Revert[];
}

export interface Look {
  readonly resource: LaneResource;
  readonly link: LinkState;
  readonly observed: Observation;
  readonly record: JsonObject;
  /** The record as its source would have it, had it taken over what it was offered: what is new there is new to that. */
  readonly said: JsonObject;
  readonly desired: Facts;
  readonly observedFacts: Facts;
  readonly context: SettleContext;
}

export type Settled = Pick<
  Settlement,
  'sent' | 'seen' | 'patches' | 'offered' | 'decisions' | 'issues' | 'lineage' | 'reverts'
>;

/** Of what was entered in error servers show a few elements; the others were not removed. */
export function isShown({ observed, observedFacts }: Look, key: string): boolean {
  return observedFacts[key] !== undefined || !isEnteredInError(observed.body);
}

export function withNew(facts: Facts, from: Facts, keys: readonly string[]): Facts {
  return keys.reduce((result, key) => withFact(result, key, from[key]), facts);
}

export function withMove({ resource, observed }: Look, settled: Settled, element: string, patch: JsonObject): Settled {
  const { elements, notUnderstood } = settled.lineage;
  const moved: AbsorbedElement = {
    element,
    rule: resource.slot?.elements.find(({ key }) => key === element)?.at ?? '',
    converter: 'moves',
    raw: observed.body[element] ?? null,
    pointers: Object.keys(patch).map((field) => pointerStep(field)),
  };
  return {
    ...settled,
    patches: [...settled.patches, patch],
    lineage: { elements: [...elements, moved], notUnderstood },
  };
}
