// Checks the configuration's shape against its JSON Schema and says each fault in a sentence. Values are never repeated:
// one of them might be a secret that stands in the wrong place.

import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { didYouMean } from '../nearest.ts';
import { configSchema, type RawConfig } from './schema.ts';
import type { ConfigProblem, SettingPath, SourceText } from './source-text.ts';

const ajv = new Ajv2020({ allErrors: true, verbose: true, discriminator: true, strict: true, strictRequired: false });
ajv.addKeyword({ keyword: 'secret', schemaType: 'boolean' });
ajv.addKeyword({ keyword: 'form', schemaType: 'string' });
const hasShape = ajv.compile<RawConfig>(configSchema);

export type Shape = { readonly raw: RawConfig } | { readonly problems: readonly ConfigProblem[] };

/** The configuration as typed values, or every fault of its shape. */
export function checkShape(source: SourceText): Shape {
  const value = source.value;
  if (hasShape(value)) return { raw: value };
  const problems = (hasShape.errors ?? []).filter(isOwnFault).map((error) => describe(error, source));
  return { problems };
}

// A name that breaks its pattern, or is none of a list, is reported by `propertyNames` too, which knows the name.
function isOwnFault(error: ErrorObject): boolean {
  return error.propertyName === undefined;
}

function describe(error: ErrorObject, source: SourceText): ConfigProblem {
  const path = pathOf(error.instancePath);
  const inner = innerName(error);
  const where = source.at(inner === undefined ? path : [...path, inner]);
  return { where, problem: sentence(error, path, inner) };
}

function innerName(error: ErrorObject): string | undefined {
  const name: unknown = error.params.additionalProperty ?? error.params.propertyName;
  return typeof name === 'string' ? name : undefined;
}

function sentence(error: ErrorObject, path: SettingPath, inner: string | undefined): string {
  const name = path.join('.') || 'The file';
  const under = path.length > 0 ? ` under ${path.join('.')}` : '';
  switch (error.keyword) {
    case 'additionalProperties':
      return `"${inner}" is not a setting${under}.${didYouMean(inner ?? '', knownNames(error))}`;
    case 'propertyNames': {
      const known = namesIn(enumOf(error.schema));
      return known.length > 0
        ? `"${inner}"${under} must be one of ${known.join(', ')}.${didYouMean(inner ?? '', known)}`
        : `"${inner}"${under} must be a name of small letters, digits and dashes that begins with a letter, 32 characters at most.`;
    }
    case 'required':
      return `"${error.params.missingProperty}" is missing${under}.`;
    case 'type':
      return `${name} must be ${formOf(error) ?? `${kinds[String(error.params.type)]}${quoteHint(error)}`}.`;
    case 'enum':
      return `${name} must be one of ${listed(error.params.allowedValues)}.${nearValue(error)}`;
    case 'discriminator':
      return `${name}.type must be one of none, bearer, basic, smart-backend, smart-basic.`;
    case 'pattern':
      return `${name} must be ${formOf(error) ?? 'written differently'}.`;
    default:
      return `${name} ${error.message ?? 'is not valid'}.`;
  }
}

const kinds: Readonly<Record<string, string>> = {
  object: 'a group of settings',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

/** What the schema says in words of how it is written. */
function formOf({ parentSchema }: ErrorObject): string | undefined {
  const form: unknown = parentSchema?.form;
  return typeof form === 'string' ? form : undefined;
}

function quoteHint(error: ErrorObject): string {
  return error.params.type === 'string' && ['number', 'boolean'].includes(typeof error.data)
    ? ': put it in quotes'
    : '';
}

function nearValue(error: ErrorObject): string {
  return typeof error.data === 'string' ? didYouMean(error.data, namesIn(error.params.allowedValues)) : '';
}

function enumOf(schema: unknown): unknown {
  return typeof schema === 'object' && schema !== null && 'enum' in schema ? schema.enum : undefined;
}

function knownNames(error: ErrorObject): string[] {
  const properties: unknown = error.parentSchema?.properties;
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

function listed(values: unknown): string {
  return namesIn(values).join(', ');
}

function namesIn(values: unknown): string[] {
  return Array.isArray(values) ? values.map(String) : [];
}

function pathOf(pointer: string): string[] {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
