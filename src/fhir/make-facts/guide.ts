// Makes the facts of a guide package: of each resource and extension profile, the elements that say more than base R4.

import type { Json } from '../../json.ts';
import type { ConstraintFact, GuideFacts, ProfileElement, ProfileFacts, SlicingFact, ValueSetFacts } from '../facts.ts';
import { sortKeys } from './base.ts';
import type { ElementDefinition, Library, StructureDefinition } from './definitions.ts';
import { baseUrl, withoutVersion } from './definitions.ts';
import type { GuidePackage } from './package.ts';
import { valueSetFacts } from './value-sets.ts';

/**
 * The facts of a guide. `library` holds base R4, the guides it depends on, and the guide itself.
 * A canonical that the library does not hold is reported through `unresolved` and left open, never guessed.
 */
export function makeGuideFacts(
  library: Library,
  guide: GuidePackage,
  unresolved: (canonical: string, element: string) => void,
): GuideFacts {
  const profiles: Record<string, ProfileFacts> = {};
  const valueSets: Record<string, ValueSetFacts> = {};
  for (const definition of guide.definitions) {
    if (definition.resourceType === 'StructureDefinition' && definition.derivation === 'constraint') {
      const facts = new ProfileMaker(library, definition, unresolved).make();
      profiles[definition.id] = facts;
      for (const { binding } of Object.values(facts.elements)) {
        const known = binding?.[0] === 'required' ? valueSetFacts(library, binding[1]) : undefined;
        if (binding && known) {
          valueSets[binding[1]] = known;
        }
      }
    }
  }
  return { guide: guide.id, version: guide.version, profiles: sortKeys(profiles), valueSets: sortKeys(valueSets) };
}

class ProfileMaker {
  readonly #library: Library;
  readonly #definition: StructureDefinition;
  readonly #unresolved: (canonical: string, element: string) => void;
  readonly #baseElements: ReadonlyMap<string, ElementDefinition>;

  constructor(
    library: Library,
    definition: StructureDefinition,
    unresolved: (canonical: string, element: string) => void,
  ) {
    this.#library = library;
    this.#definition = definition;
    this.#unresolved = unresolved;
    this.#baseElements = elementsByPath(library.structures.get(baseUrl + definition.type));
  }

  make(): ProfileFacts {
    const { url, version, type, baseDefinition, snapshot } = this.#definition;
    const elements = snapshot.element.map(
      (element) => [element.id.slice(type.length + 1), this.#element(element)] as const,
    );
    return {
      url,
      version: version ?? '',
      type,
      base: withoutVersion(baseDefinition ?? ''),
      elements: Object.fromEntries(elements.filter(([, facts]) => Object.keys(facts).length > 0)),
    };
  }

  #element(element: ElementDefinition): ProfileElement {
    const base = this.#baseElement(element);
    const isRoot = !element.path.includes('.');
    const isSlice = element.sliceName !== undefined;
    const binding = bindingOf(element);
    const types = typeCodes(element);
    const targets = this.#targets(element);
    const profiles = (element.type ?? [])
      .flatMap(({ code, profile }) => (code === 'Reference' ? [] : (profile ?? [])))
      .map(withoutVersion);
    const constraints = ownConstraints(element, base);
    const fixed = fixedOrPattern(element, 'fixed');
    const pattern = fixedOrPattern(element, 'pattern');
    return {
      ...(!isRoot && element.min > 0 && (isSlice || element.min !== base?.min) && { min: element.min }),
      ...(!isRoot &&
        (isSlice || element.max !== base?.max) && { max: element.max === '*' ? ('*' as const) : Number(element.max) }),
      ...(types.length > 0 && !isSame(types, base && typeCodes(base)) && { types }),
      ...(targets && !isSame(targets, base && this.#targets(base)) && { targets }),
      ...(binding && !isSame(binding, base && bindingOf(base)) && { binding }),
      ...(fixed !== undefined && { fixed }),
      ...(pattern !== undefined && { pattern }),
      ...(profiles.length > 0 && !isSame(profiles, profilesOf(base)) && { profiles }),
      ...(element.mustSupport && { mustSupport: true as const }),
      ...(element.slicing && this.#slicing(element) && { slicing: this.#slicing(element) }),
      ...(constraints.length > 0 && { constraints }),
    };
  }

  /** The element of base R4 that this one constrains; below a datatype, that datatype's own element. */
  #baseElement(element: ElementDefinition): ElementDefinition | undefined {
    const direct = this.#baseElements.get(element.path);
    if (direct) {
      return direct;
    }
    const names = element.path.split('.');
    for (let cut = names.length - 1; cut > 0; cut -= 1) {
      const parent = this.#baseElements.get(names.slice(0, cut).join('.'));
      const type =
        parent?.type?.length === 1 ? parent.type[0]?.code : this.#narrowedType(names.slice(0, cut).join('.'));
      if (parent && type) {
        return elementsByPath(this.#library.structures.get(baseUrl + type)).get([type, ...names.slice(cut)].join('.'));
      }
    }
    return undefined;
  }

  #narrowedType(path: string): string | undefined {
    const narrowed = this.#definition.snapshot.element.find(
      (element) => element.path === path && element.type?.length === 1,
    );
    return narrowed?.type?.[0]?.code;
  }

  /** Resource types that the target profiles are of, sorted; undefined: any, or not known. */
  #targets(element: ElementDefinition): string[] | undefined {
    const canonicals = (element.type ?? [])
      .filter(({ code }) => code === 'Reference')
      .flatMap(({ targetProfile }) => (targetProfile ?? [`${baseUrl}Resource`]).map(withoutVersion));
    const types = new Set<string>();
    for (const canonical of canonicals) {
      const type = this.#library.typeOf(canonical);
      if (type === undefined) {
        this.#unresolved(canonical, `${this.#definition.id}: ${element.id}`);
        return undefined;
      }
      types.add(type);
    }
    return types.size === 0 || types.has('Resource') ? undefined : [...types].sort();
  }

  /** The extension list is sliced by url everywhere: that is worth a line only where this profile names slices. */
  #slicing({ id, slicing }: ElementDefinition): SlicingFact | undefined {
    const hasSlices = this.#definition.snapshot.element.some((other) => other.id.startsWith(`${id}:`));
    return slicing && hasSlices
      ? {
          discriminators: (slicing.discriminator ?? []).map(({ type, path }) => [type, path] as const),
          rules: slicing.rules,
        }
      : undefined;
  }
}

function elementsByPath(definition: StructureDefinition | undefined): Map<string, ElementDefinition> {
  return new Map(definition?.snapshot.element.map((element) => [element.path, element]));
}

/** Choice elements of a base snapshot list their types in the definition's order; so do profiles. */
function typeCodes(element: ElementDefinition): string[] {
  return (element.type ?? []).map(({ code }) => code).filter((code) => !code.startsWith('http://hl7.org/fhirpath/'));
}

function profilesOf(element: ElementDefinition | undefined): string[] {
  return (element?.type ?? []).flatMap(({ profile }) => profile ?? []).map(withoutVersion);
}

function bindingOf({ binding }: ElementDefinition): [string, string] | undefined {
  return binding?.valueSet ? [binding.strength, withoutVersion(binding.valueSet)] : undefined;
}

function ownConstraints(element: ElementDefinition, base: ElementDefinition | undefined): ConstraintFact[] {
  const known = new Set([
    'ele-1',
    'ext-1',
    'dom-2',
    'dom-3',
    'dom-4',
    'dom-5',
    'dom-6',
    ...(base?.constraint ?? []).map(({ key }) => key),
  ]);
  return (element.constraint ?? [])
    .filter(({ key, source }) => !known.has(key) && !source?.startsWith(baseUrl))
    .map(({ key, severity, expression }) => [key, severity, expression ?? ''] as const);
}

/** fixed[x] or pattern[x]. */
function fixedOrPattern(element: ElementDefinition, kind: 'fixed' | 'pattern'): Json | undefined {
  const name = Object.keys(element).find((key): key is `${typeof kind}${string}` => key.startsWith(kind));
  return name === undefined ? undefined : element[name];
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
