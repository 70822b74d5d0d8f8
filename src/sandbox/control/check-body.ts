// The bodies that /_control takes are checked by JSON Schema, so that a misspelt fault is refused and not silently without effect.

import { Ajv2020 } from 'ajv/dist/2020.js';

/** A body that /_control does not take. The message says what is wrong with it. */
export class InvalidControl extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidControl';
  }
}

const ajv = new Ajv2020({ allowUnionTypes: true });

/**
 * A reader for one kind of body.
 * @throws InvalidControl from the reader, with the place and the rule
 */
export function bodyReader<T>(schema: object): (body: unknown) => T {
  const check = ajv.compile<T>(schema);
  return (body) => {
    if (check(body)) return body;
    const [first] = check.errors ?? [];
    const meant: unknown = first?.params.additionalProperty ?? first?.params.allowedValues;
    const named = meant === undefined ? '' : ` (${[meant].flat().join(', ')})`;
    throw new InvalidControl(`${first?.instancePath || 'The body'} ${first?.message ?? 'is invalid'}${named}.`);
  };
}
