// What must be true of a conformance resource before facts are made from it: only what is read later.

import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import type { JsonObject } from '../../json.ts';
import type { CodeSystem, Definition, StructureDefinition, ValueSet } from './definitions.ts';

const text = { type: 'string', minLength: 1 } as const;
const texts = { type: 'array', items: text } as const;
const id = { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' } as const;
const list = (required: string[], properties: object) => ({
  type: 'array',
  items: { type: 'object', required, properties },
});

const structure = {
  type: 'object',
  required: ['id', 'url', 'kind', 'type', 'snapshot'],
  properties: {
    id,
    url: text,
    version: text,
    kind: text,
    type: text,
    derivation: text,
    baseDefinition: text,
    snapshot: {
      type: 'object',
      required: ['element'],
      properties: {
        element: {
          ...list(['id', 'path', 'min', 'max'], {
            id: text,
            path: text,
            min: { type: 'integer', minimum: 0 },
            max: { type: 'string', pattern: '^([0-9]+|\\*)$' },
            sliceName: text,
            contentReference: text,
            mustSupport: { type: 'boolean' },
            type: list(['code'], { code: text, profile: texts, targetProfile: texts }),
            binding: { type: 'object', required: ['strength'], properties: { strength: text, valueSet: text } },
            constraint: list(['key', 'severity'], { key: text, severity: text, expression: text, source: text }),
            slicing: {
              type: 'object',
              required: ['rules'],
              properties: { rules: text, discriminator: list(['type', 'path'], { type: text, path: text }) },
            },
          }),
          minItems: 1,
        },
      },
    },
  },
};

const part = list([], {
  system: text,
  concept: list(['code'], { code: text }),
  filter: list(['property', 'op', 'value'], { property: text, op: text, value: text }),
  valueSet: texts,
});

const valueSet = {
  type: 'object',
  required: ['url'],
  properties: {
    url: text,
    compose: { type: 'object', required: ['include'], properties: { include: part, exclude: part } },
  },
};

const concepts = { $ref: '#/$defs/concepts' };
const codeSystem = {
  $defs: { concepts: list(['code'], { code: text, concept: concepts }) },
  type: 'object',
  required: ['url', 'content'],
  properties: { url: text, content: text, concept: concepts },
};

/** Compiled when the first package is read: other commands never need them. */
function compileShapes() {
  const ajv = new Ajv2020({ strict: true, strictRequired: false });
  return {
    isStructure: ajv.compile<StructureDefinition>(structure),
    isValueSet: ajv.compile<ValueSet>(valueSet),
    isCodeSystem: ajv.compile<CodeSystem>(codeSystem),
  };
}

let shapes: ReturnType<typeof compileShapes> | undefined;

/** The resource as the definition that it is, or where it is not as FHIR R4 says; undefined: it is of another type. */
export function readDefinition(resource: JsonObject): { definition: Definition } | { wrong: string } | undefined {
  shapes ??= compileShapes();
  const { isStructure, isValueSet, isCodeSystem } = shapes;
  switch (resource.resourceType) {
    case 'StructureDefinition':
      return isStructure(resource) ? { definition: resource } : wrong(isStructure.errors);
    case 'ValueSet':
      return isValueSet(resource) ? { definition: resource } : wrong(isValueSet.errors);
    case 'CodeSystem':
      return isCodeSystem(resource) ? { definition: resource } : wrong(isCodeSystem.errors);
    default:
      return undefined;
  }
}

function wrong(errors: ErrorObject[] | null | undefined): { wrong: string } {
  const [first] = errors ?? [];
  return { wrong: `${first?.instancePath ?? ''} ${first?.message ?? 'is not valid'}`.trim() };
}
