// The page of settings as it must be: one row per setting, in the order of the schema of casebridge.yaml.

import { configSchema } from '../src/config/schema.ts';
import { isObject, type Json, type JsonObject } from '../src/json.ts';

/** The text of docs/configuration.md. */
export function configPage(): string {
  const schema: Json = JSON.parse(JSON.stringify(configSchema));
  return [
    '# Settings',
    '',
    'Made from `src/config/schema.ts` by `node scripts/make-config-page.ts`: everything that `casebridge.yaml` may hold. The README has a file to begin with.',
    '',
    '- **Bold** settings must be there, where the group that they belong to is.',
    '- A file or folder counts from the folder of `casebridge.yaml`. A duration is a whole number and `ms`, `s`, `m`, `h` or `d`. `<name>` is a name of your own: small letters, digits and',
    '  dashes, beginning with a letter, 32 characters at most; `<key>` is one of those that its group lists.',
    '- A secret stands in an environment variable or a file, never in `casebridge.yaml`: `env:NAME` or `file:PATH`.',
    '- Unknown settings are refused with their line. `doctor` says whether the file is right, and what is wrong behind it.',
    '',
    '| setting | value | meaning |',
    '|---|---|---|',
    ...(isObject(schema) ? rowsOf(schema, '') : []),
    '',
  ].join('\n');
}

function rowsOf(schema: JsonObject, path: string): string[] {
  const { properties, additionalProperties: each, oneOf, required, propertyNames } = schema;
  const own = isObject(properties) ? Object.entries(properties) : [];
  const needed = Array.isArray(required) ? required : [];
  return [
    ...own.flatMap(([name, one]) => (isObject(one) ? settingRows(one, join(path, name), needed.includes(name)) : [])),
    ...(isObject(each)
      ? settingRows(each, join(path, isObject(propertyNames) && propertyNames.enum ? '<key>' : '<name>'), false)
      : []),
    ...(Array.isArray(oneOf) ? oneOf.filter(isObject).flatMap((one) => rowsOf(one, `${path} (${typeOf(one)})`)) : []),
  ];
}

function settingRows(schema: JsonObject, path: string, isNeeded: boolean): string[] {
  const { description, const: fixed } = schema;
  if (fixed !== undefined) return [];
  const value = kindOf(schema);
  const rows = rowsOf(schema, path);
  // A group without words of its own is told by what is in it.
  if (value === '' && description === undefined) return rows;
  const name = isNeeded ? `**\`${path}\`**` : `\`${path}\``;
  return [`| ${name} | ${value} | ${typeof description === 'string' ? cell(description) : ''} |`, ...rows];
}

function kindOf({
  type,
  enum: values,
  items,
  oneOf,
  pattern,
  secret,
  minimum,
  maximum,
  propertyNames,
}: JsonObject): string {
  if (isObject(propertyNames) && Array.isArray(propertyNames.enum)) return `\`<key>\`: ${kindOf(propertyNames)}`;
  if (Array.isArray(oneOf))
    return `\`type\`: ${oneOf
      .filter(isObject)
      .map((one) => `\`${typeOf(one)}\``)
      .join(', ')}`;
  if (secret === true) return 'secret';
  if (Array.isArray(values)) return values.map((value) => `\`${value}\``).join(', ');
  if (isObject(items)) return `list of ${kindOf(items) || 'values'}`;
  if (typeof pattern === 'string' && pattern.includes('(ms|s|m|h|d)')) return 'duration';
  if (type === 'integer') return `${minimum} to ${maximum}`;
  return type === 'string' ? 'text' : type === 'boolean' ? 'true, false' : type === 'number' ? 'number' : '';
}

/** Which of several forms a group has. */
function typeOf({ properties }: JsonObject): string {
  const type = isObject(properties) ? properties.type : undefined;
  return isObject(type) ? String(type.const) : '';
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
