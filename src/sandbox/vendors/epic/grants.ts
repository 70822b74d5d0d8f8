// What a registered client may do. The vendor spells a grant out scope by scope: one action each, some narrowed to a category (E6), and what a
// category stands for may be granted or not by itself (E15).

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import type { Action } from '../../engine/engine.ts';
import { declaredOffers } from './offer.ts';
import type { EpicSettings } from './settings.ts';

/** A part of a type that is granted by itself. */
interface Kind {
  system: string;
  code: string;
  actions: readonly Action[];
  /** Name in the warning of a partial answer. */
  name: string;
}

export interface Rights {
  may(type: string, action: Action): boolean;
  /** Whether this very resource is among what is granted. */
  covers(resource: JsonObject, action: 'r' | 's'): boolean;
  /** Parts of a type whose resources are left out of a search. */
  missing(type: string): readonly Kind[];
}

const conditionCategory = 'http://terminology.hl7.org/CodeSystem/condition-category';
const observationCategory = 'http://terminology.hl7.org/CodeSystem/observation-category';
const usCore = 'http://hl7.org/fhir/us/core/CodeSystem';
const toRead = ['r', 's'] as const;

const kinds: Readonly<Record<string, readonly Kind[]>> = {
  Condition: [
    { system: conditionCategory, code: 'problem-list-item', actions: ['c', 'r', 's'], name: 'Problems' },
    { system: conditionCategory, code: 'encounter-diagnosis', actions: toRead, name: 'Encounter Diagnosis' },
    { system: `${usCore}/condition-category`, code: 'health-concern', actions: toRead, name: 'Health Concern' },
  ],
  DocumentReference: [
    {
      system: `${usCore}/us-core-documentreference-category`,
      code: 'clinical-note',
      actions: ['c', 'r', 's'],
      name: 'Clinical Notes',
    },
  ],
  Observation: [
    { system: observationCategory, code: 'vital-signs', actions: ['c', 'r', 's'], name: 'Vital Signs' },
    ...['imaging', 'laboratory', 'social-history', 'survey'].map((code) => ({
      system: observationCategory,
      code,
      actions: toRead,
      name: code,
    })),
    { system: `${usCore}/us-core-category`, code: 'sdoh', actions: toRead, name: 'SDOH Assessments' },
  ],
  ServiceRequest: [{ system: `${usCore}/us-core-category`, code: 'sdoh', actions: toRead, name: 'Community Resource' }],
};
/** Types of which some actions exist for a named part only. */
const onlyNarrowed = new Set(['Condition.c']);
const version1: Readonly<Record<string, string>> = { read: 'rs', write: 'cu', '*': 'crus' };

/** The scopes of the token reply for what is registered: only what the site offers, each action by itself, in alphabetical order. */
export function explodedScopes(registered: readonly string[], settings: EpicSettings): string[] {
  const granted = new Set<string>();
  for (const text of registered) {
    const match = /^system\/([A-Za-z]+|\*)\.(read|write|\*|[cruds]+)(?:\?category=(.+))?$/.exec(text);
    const [, type, letters = '', category] = match ?? [];
    for (const [name, { actions }] of declaredOffers(settings)) {
      if (type !== '*' && type !== name) continue;
      for (const action of actions) {
        if ((version1[letters] ?? letters).includes(action)) addScopes(granted, name, action, category);
      }
    }
  }
  return [...granted].toSorted();
}

function addScopes(granted: Set<string>, type: string, action: Action, category: string | undefined): void {
  const scope = `system/${type}.${action}`;
  if (category === undefined && !onlyNarrowed.has(`${type}.${action}`)) granted.add(scope);
  for (const { system, code, actions } of kinds[type] ?? []) {
    const filter = `${system}|${code}`;
    if (actions.includes(action) && (category === undefined || category === filter)) {
      granted.add(`${scope}?category=${filter}`);
    }
  }
}

/** What the scopes of a token reply allow. */
export function rightsOf(scopes: readonly string[]): Rights {
  const granted = new Set(scopes);
  const actions = new Set(scopes.map((scope) => scope.split('?')[0]));
  const has = (type: string, action: Action, { system, code }: Kind) =>
    granted.has(`system/${type}.${action}?category=${system}|${code}`);
  return {
    may: (type, action) => actions.has(`system/${type}.${action}`),
    covers(resource, action) {
      const type = String(resource.resourceType);
      const own = (kinds[type] ?? []).filter((kind) => isOfKind(resource, kind));
      if (own.length === 0) return granted.has(`system/${type}.${action}`);
      return own.some((kind) => has(type, action, kind));
    },
    missing: (type) => (kinds[type] ?? []).filter((kind) => kind.actions.includes('s') && !has(type, 's', kind)),
  };
}

/** For a site that asks for no token. */
export const everyRight: Rights = { may: () => true, covers: () => true, missing: () => [] };

function isOfKind({ category }: JsonObject, { system, code }: Kind): boolean {
  const codings = [category].flat().flatMap((concept) => (isObject(concept) ? [concept.coding].flat() : []));
  return codings.some(
    (coding: Json | undefined) => isObject(coding) && coding.system === system && coding.code === code,
  );
}
