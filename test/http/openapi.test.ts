import { expect, test } from '@jest/globals';
import { openApi } from '../../src/http/openapi.ts';
import { routes } from '../../src/http/routes.ts';
import { isObject, type Json } from '../../src/json.ts';
import { shippedSchemas } from '../../src/records/records.ts';

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

function follow(reference: string): Json | undefined {
  let found: Json | undefined = description;
  for (const step of reference.replace('#/', '').split('/')) found = isObject(found) ? found[step] : undefined;
  return found;
}
