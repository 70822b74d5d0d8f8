// The OpenAPI 3.1 description, made from the route table, so that it cannot say what the routes don't do.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { definitionsSchema, type RecordSchemas, recordTypes } from '../records/records.ts';
import type { FieldRules } from './answer-fields.ts';
import { pathParameters, queryParameter } from './parameters.ts';
import type { Route } from './route.ts';

/** The description of these routes, and of records that are checked by these schemas. */
export function openApi(routes: readonly Route[], schemas: RecordSchemas): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operation(route);
    paths[route.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Casebridge',
      version: '1',
      description: 'Answers carry `Casebridge-Api: 1` and only gain fields; unknown fields in a request are refused.',
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        console: { type: 'apiKey', in: 'cookie', name: 'casebridge-console' },
      },
      schemas: { Problem: problem, ...recordComponents(schemas) },
    },
  };
}

function operation(route: Route): JsonObject {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...shownParameter(pathParameters[name]),
  }));
  const inQuery = (route.query ?? []).map((name) => ({
    name,
    in: 'query',
    ...shownParameter(queryParameter(route, name)),
  }));
  return {
    summary: route.summary,
    parameters: [...inPath, ...inQuery],
    ...(route.access !== 'anyone' && { security: [{ [route.access === 'console' ? 'console' : 'token']: [] }] }),
    ...(route.takes && { requestBody: { required: true, content: bodies(route, route.takes) } }),
    responses: {
      [String(route.status ?? 200)]: { description: 'Done.', content: content(route.answers ?? ['application/json']) },
      default: {
        description: 'Refused or failed.',
        content: { 'application/problem+json': { schema: { $ref: component('Problem') } } },
      },
    },
  };
}

function shownParameter(parameter: { schema: JsonObject; description: string } | undefined): JsonObject {
  return { schema: parameter?.schema ?? {}, description: parameter?.description ?? '' };
}

function bodies({ fields, takesRecords }: Route, types: readonly string[]): JsonObject {
  if (takesRecords && types.length === 1) return { [types[0] ?? '']: { schema: anyRecord } };
  if (takesRecords) return Object.fromEntries(types.map((type) => [type, { schema: recordsAs(type) }]));
  return fields === undefined
    ? content(types)
    : Object.fromEntries(types.map((type) => [type, { schema: shape(fields) }]));
}

/** Which one is for the type in the path to say. */
const anyRecord: JsonObject = { oneOf: recordTypes.map((type) => ({ $ref: component(type) })) };

function recordsAs(mediaType: string): JsonObject {
  const line: JsonObject = {
    oneOf: recordTypes.map((type) => ({
      type: 'object',
      properties: { type: { const: type }, record: { $ref: component(type) } },
      required: ['type', 'record'],
      additionalProperties: false,
    })),
  };
  return mediaType.endsWith('ndjson')
    ? { ...line, description: 'One such object a line.' }
    : { type: 'array', items: line };
}

function shape(fields: FieldRules): JsonObject {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([name, { form }]) => [name, { description: form }])),
    required: Object.entries(fields).flatMap(([name, { required }]) => (required ? [name] : [])),
    additionalProperties: false,
  };
}

function content(types: readonly string[]): JsonObject {
  return Object.fromEntries(types.map((type) => [type, {}]));
}

const problem: JsonObject = {
  type: 'object',
  description: 'RFC 9457, with the code of the error and what is wrong field by field.',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string' },
          rule: { type: 'string' },
          found: { type: 'string', description: 'The kind that was found, never the value.' },
          message: { type: 'string' },
        },
      },
    },
  },
};

function recordComponents(schemas: RecordSchemas): JsonObject {
  const records = recordTypes.map((type) => [type, embedded(schemas.schema(type))]);
  return { ...Object.fromEntries(records), definitions: embedded(definitionsSchema) };
}

/** The schema as a component: references into the shared definitions lead to theirs. */
function embedded(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(embedded);
  if (!isObject(schema)) return schema;
  const { $id: _id, $schema: _schema, ...rest } = schema;
  return Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [
      name,
      name === '$ref' && typeof value === 'string' ? componentOf(value) : embedded(value),
    ]),
  );
}

function component(name: string): string {
  return `#/components/schemas/${name}`;
}

function componentOf(reference: string): string {
  return reference.replace(/^(definitions\.json)?#/, component('definitions'));
}
