import { expect, test } from '@jest/globals';
import { openApi } from '../../src/http/openapi.ts';
import { routes } from '../../src/http/routes.ts';
import { isObject, type Json } from '../../src/json.ts';
import { recordTypes, shippedSchemas } from '../../src/records/records.ts';

const description = openApi(routes, shippedSchemas);

test('the description has exactly the routes', () => {
  const paths = isObject(description.paths) ? description.paths : {};
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(isObject(methods) ? methods : {}).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = '']) => target);
  expect(references.length).toBeGreaterThan(100);
  for (const reference of new Set(references)) expect([reference, follow(reference)]).not.toContain(undefined);
});

test('every body of JSON is described, and those of records by their schemas', () => {
  const bodies = routes.flatMap(({ method, path, takes = [] }) =>
    takes
      .filter((type) => type.includes('json'))
      .map((type) => [
        `${method} ${path} ${type}`,
        follow(
          `#/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}/requestBody/content/${type.replace('/', '~1')}/schema`,
        ),
      ]),
  );
  expect(bodies.length).toBeGreaterThan(15);
  expect(bodies.filter(([, schema]) => schema === undefined)).toEqual([]);
  expect(Object.fromEntries(bodies)).toMatchObject({
    'PUT /api/records/{type}/{id} application/json': {
      oneOf: recordTypes.map((type) => ({ $ref: `#/components/schemas/${type}` })),
    },
    'POST /api/decisions/{decision} application/json': {
      properties: { choose: { description: "one of the decision's choices" }, note: {} },
      required: ['choose'],
      additionalProperties: false,
    },
  });
});

function follow(reference: string): Json | undefined {
  let found: Json | undefined = description;
  for (const step of reference
    .replace('#/', '')
    .split('/')
    .map((one) => one.replaceAll('~1', '/')))
    found = isObject(found) ? found[step] : undefined;
  return found;
}
