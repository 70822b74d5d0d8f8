// Makes the facts of base R4 from its StructureDefinitions: the resource types that are asked for, and every datatype below them.

import type { BaseElement, BaseFacts, ConstraintFact, TypeFacts, ValueSetFacts } from '../facts.ts';
import type { ElementDefinition, Library, StructureDefinition } from './definitions.ts';
import { baseUrl, withoutVersion } from './definitions.ts';
import { valueSetFacts } from './value-sets.ts';

/** Types every backbone has anyway; they are kept once, at BackboneElement and Element. */
const inherited = new Set(['id', 'extension', 'modifierExtension']);

export function makeBaseFacts(library: Library, resources: readonly string[]): BaseFacts {
  const types: Record<string, TypeFacts> = {};
  const primitives = new Set<string>();
  const valueSets: Record<string, ValueSetFacts> = {};
  const open = [...resources, 'BackboneElement', 'Element'];

  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    const definition = library.structures.get(baseUrl + name);
    if (!definition || types[name] || (definition.abstract === true && definition.kind === 'resource')) {
      continue;
    }
    if (definition.kind === 'primitive-type') {
      primitives.add(name);
      continue;
    }
    const facts = typeFacts(definition);
    types[name] = facts;
    for (const element of Object.values(facts.elements)) {
      open.push(...element.types);
      if (element.binding?.[0] === 'required') {
        const known = valueSetFacts(library, element.binding[1]);
        if (known) {
          valueSets[element.binding[1]] = known;
        }
      }
    }
  }
  const resourceTypes = [...library.structures.values()].filter(
    (it) => it.kind === 'resource' && !it.abstract && it.derivation !== 'constraint',
  );
  return {
    fhirVersion: '4.0.1',
    primitives: [...primitives].sort(),
    resourceTypes: resourceTypes.map(({ type }) => type).sort(),
    types: sortKeys(types),
    valueSets: sortKeys(valueSets),
  };
}

function typeFacts(definition: StructureDefinition): TypeFacts {
  const elements: Record<string, BaseElement> = {};
  for (const element of definition.snapshot.element) {
    const path = element.path.slice(definition.type.length + 1);
    const name = path.slice(path.lastIndexOf('.') + 1);
    if (!path.includes('.') || !inherited.has(name)) {
      elements[path] = baseElement(definition, element, path);
    }
  }
  return { kind: definition.kind === 'resource' ? 'resource' : 'datatype', elements };
}

function baseElement(definition: StructureDefinition, element: ElementDefinition, path: string): BaseElement {
  const constraints = ownConstraints(definition, element);
  const targets = referenceTargets(element);
  return {
    ...(path !== '' && element.min > 0 && { min: element.min }),
    ...(path !== '' && element.max !== '1' && { max: element.max === '*' ? ('*' as const) : Number(element.max) }),
    types: elementTypes(definition, element, path),
    ...(targets && { targets }),
    ...(element.binding?.valueSet && {
      binding: [element.binding.strength, withoutVersion(element.binding.valueSet)] as const,
    }),
    ...(element.contentReference && { content: element.contentReference.slice(definition.type.length + 2) }),
    ...(constraints.length > 0 && { constraints }),
  };
}

/** Type codes; R4 writes ids and extension URLs as FHIRPath system types, with the FHIR type in an extension. */
function elementTypes(definition: StructureDefinition, element: ElementDefinition, path: string): string[] {
  if (path === '') {
    return [];
  }
  if (element.contentReference) {
    return ['BackboneElement'];
  }
  return (element.type ?? []).map(({ code, extension }) => {
    if (!code.startsWith('http://hl7.org/fhirpath/')) {
      return code;
    }
    return path === 'id' && definition.kind === 'resource' ? 'id' : (extension?.[0]?.valueUrl ?? 'string');
  });
}

function referenceTargets(element: ElementDefinition): string[] | undefined {
  const targets = (element.type ?? [])
    .filter(({ code }) => code === 'Reference')
    .flatMap(({ targetProfile }) => targetProfile ?? ['Resource'])
    .map((url) => url.slice(url.lastIndexOf('/') + 1));
  return targets.length === 0 || targets.includes('Resource') ? undefined : targets.sort();
}

/** Snapshots repeat the invariants of the parent type and of the element's datatype; only the type's own are kept. */
function ownConstraints(definition: StructureDefinition, element: ElementDefinition): ConstraintFact[] {
  return (element.constraint ?? [])
    .filter(
      ({ key, source }) => key !== 'ele-1' && key !== 'ext-1' && (source === undefined || source === definition.url),
    )
    .map(({ key, severity, expression }) => [key, severity, expression ?? ''] as const);
}

export function sortKeys<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
