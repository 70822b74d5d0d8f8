// What can be asked of a patient by a Task, and what each kind needs (SDOHCC TaskForPatient, invariants SDOH-Task-1 to -7; closed-loop B5).

import type { ErrorParameters } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { codesOf } from './codes.ts';

export const patientTaskKinds = [
  'complete-questionnaire',
  'general-information',
  'make-contact',
  'decision-material',
] as const;

export type PatientTaskKind = (typeof patientTaskKinds)[number];

interface KindRule {
  /** Elements that must be there. */
  readonly elements: readonly string[];
  /** Of each list, an input with one of the codes. `exactly`: one such input and no more. */
  readonly inputs: readonly { readonly anyOf: readonly string[]; readonly exactly?: boolean }[];
  /** Of what an answer is made. */
  readonly outputs: readonly string[];
}

/** Codes without their systems: sdc-temp for questionnaire and questionnaire-response, SDOHCC-CodeSystemTemporaryCodes for the others. */
export const patientTaskRules: Readonly<Record<PatientTaskKind, KindRule>> = {
  'complete-questionnaire': {
    elements: [],
    inputs: [
      { anyOf: ['questionnaire', 'questionnaire-pdf', 'questionnaire-url'], exactly: true },
      { anyOf: ['questionnaire-category'] },
    ],
    outputs: ['questionnaire-response', 'questionnaire-pdf-completed'],
  },
  'general-information': { elements: ['description'], inputs: [], outputs: ['general-information-response'] },
  'make-contact': {
    elements: ['description'],
    inputs: [{ anyOf: ['contact-entity'] }],
    outputs: ['chosen-contact'],
  },
  'decision-material': { elements: ['focus'], inputs: [], outputs: [] },
};

export function patientTaskKind(task: JsonObject): PatientTaskKind | undefined {
  const codes = codesOf(task.code);
  return patientTaskKinds.find((kind) => codes.includes(kind));
}

/** What such a Task lacks, or has and may not: one entry each, in the order of the rules. Empty for a Task of no such kind. */
export function patientTaskGaps(task: JsonObject): ErrorParameters[] {
  const kind = patientTaskKind(task);
  if (kind === undefined) return [];
  const { elements, inputs, outputs } = patientTaskRules[kind];
  const given = typesOf(task.input);
  const answered = typesOf(task.output);
  return [
    ...elements.flatMap((element) => (task[element] === undefined ? [{ kind, element, wants: 'a value' }] : [])),
    ...inputs.flatMap(({ anyOf, exactly }) => {
      const count = given.filter((code) => anyOf.includes(code)).length;
      const isRight = exactly ? count === 1 : count > 0;
      return isRight
        ? []
        : [{ kind, element: 'input', wants: `${exactly ? 'exactly one' : 'one'} of ${anyOf.join(', ')}` }];
    }),
    ...(answered.every((code) => outputs.includes(code))
      ? []
      : [{ kind, element: 'output', wants: outputs.length === 0 ? 'none' : `only ${outputs.join(', ')}` }]),
  ];
}

function typesOf(list: Json | undefined): string[] {
  return (Array.isArray(list) ? list : []).flatMap((item) => (isObject(item) ? codesOf(item.type).slice(0, 1) : []));
}
