// The conformance resources of a guide package (https://hl7.org/fhir/packages.html), with their shape checked as far as facts need it.

import { CasebridgeError } from '../../errors.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import { readDefinition } from './definition-shape.ts';
import type { Definition } from './definitions.ts';
import { type ArchiveLimits, NoPackage, readTgz } from './tar.ts';

export interface GuidePackage {
  readonly id: string;
  readonly version: string;
  readonly definitions: readonly Definition[];
  /** Ids of the profiles that come without a snapshot: only a tool that knows all their bases could complete them. */
  readonly withoutSnapshot: readonly string[];
}

/** A package.tgz. */
export interface PackageFile {
  /** For errors. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** 4.0.0 was the first R4, 4.0.1 its technical correction. */
const r4 = /^4\.0(\.|$)/;

/**
 * The conformance resources of a package for R4; its examples are left alone.
 * @throws CasebridgeError `guide-package-invalid`, `guide-not-r4`
 */
export function readGuidePackage(file: PackageFile, limits?: ArchiveLimits): GuidePackage {
  try {
    return readPackage(file.bytes, limits);
  } catch (error) {
    if (!(error instanceof NoPackage)) throw error;
    throw new CasebridgeError('guide-package-invalid', { file: file.name, problem: error.message }, { cause: error });
  }
}

function readPackage(bytes: Uint8Array, limits?: ArchiveLimits): GuidePackage {
  const files = readTgz(bytes, limits);
  const manifest = files.get('package/package.json');
  if (!manifest) refuse('it holds no package/package.json');
  const about = readJson('package/package.json', manifest);
  if (typeof about.name !== 'string' || typeof about.version !== 'string')
    refuse('package/package.json gives no name and version');

  const definitions: Definition[] = [];
  const withoutSnapshot: string[] = [];
  const fhirVersions = new Set(textsOf(about.fhirVersions ?? about['fhir-version-list']));
  const isSaid = fhirVersions.size > 0;
  for (const [name, body] of files) {
    if (!/^package\/[^/.][^/]*\.json$/.test(name) || name === 'package/package.json') continue;
    const resource = readJson(name, body);
    if (!isSaid && typeof resource.fhirVersion === 'string') fhirVersions.add(resource.fhirVersion);
    if (resource.resourceType === 'StructureDefinition' && resource.snapshot === undefined) {
      withoutSnapshot.push(String(resource.id));
      continue;
    }
    const read = readDefinition(resource);
    if (read && 'wrong' in read) refuse(`${name} is no ${resource.resourceType} of R4: ${read.wrong}`);
    if (read) definitions.push(read.definition);
  }
  const others = [...fhirVersions].filter((version) => !r4.test(version));
  if (others.length > 0 && others.length === fhirVersions.size)
    throw new CasebridgeError('guide-not-r4', { guide: about.name, versions: others.join(', ') });
  return { id: about.name, version: about.version, definitions, withoutSnapshot };
}

function readJson(name: string, body: Buffer): JsonObject {
  let value: Json;
  try {
    // Some publishers write a byte order mark.
    value = JSON.parse(body.toString('utf8').replace(/^\ufeff/, ''));
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(`${name} is no JSON`);
    // The parser is out of stack.
    if (error instanceof RangeError) return refuse(`${name} is nested too deeply`);
    throw error;
  }
  return isObject(value) ? value : refuse(`${name} holds no resource`);
}

function textsOf(value: Json | undefined): string[] {
  return (Array.isArray(value) ? value : []).filter((item) => typeof item === 'string');
}

function refuse(problem: string): never {
  throw new NoPackage(problem);
}
