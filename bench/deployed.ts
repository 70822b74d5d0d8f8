// What our deployment examples tell Node.js, so that what is measured runs as they run it.

import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { isObject, type Json } from '../src/json.ts';

/** Options of Node.js for `serve` and `worker` on PostgreSQL, as deploy/compose.yaml gives them. */
export async function deployedNodeOptions(): Promise<string[]> {
  const compose: Json = parse(await readFile(new URL('../deploy/compose.yaml', import.meta.url), 'utf8'));
  const common = isObject(compose) ? compose['x-casebridge'] : undefined;
  const options = isObject(common) && isObject(common.environment) ? common.environment.NODE_OPTIONS : undefined;
  if (typeof options !== 'string') throw new Error('deploy/compose.yaml gives no NODE_OPTIONS.');
  return options.split(' ');
}
