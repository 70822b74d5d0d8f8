// Runs openfn-job.js for each case on OpenFn's runtime, from the folder in which it was installed: the second word of the command line.
// Needs --experimental-vm-modules.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readWork, workOff } from './work.ts';

/** OpenFn's `run`, as far as it is used here. */
type Run = (plan: object, state: object, options: object) => Promise<{ errors?: Record<string, { message?: string }> }>;

const work = await readWork();
const packages = join(process.argv[3] ?? '', 'node_modules', '@openfn');
const { default: run }: { default: Run } = await import(
  pathToFileURL(join(packages, 'runtime', 'dist', 'index.js')).href
);
const expression = await text('openfn-job.js');
const globals = await text('by-hand.js');
const linker = { modules: { '@openfn/language-fhir': { path: join(packages, 'language-fhir') } } };
const { origin, pathname } = new URL(work.fhirUrl);
const configuration = { baseUrl: origin, apiPath: pathname };

await workOff(work, async (records) => {
  const plan = { workflow: { steps: [{ id: 'send', expression, configuration }], globals }, options: {} };
  const state = await run(plan, { records, directory: work.directory }, { linker });
  const [error] = Object.values(state.errors ?? {});
  if (error !== undefined) throw new Error(error.message);
});

function text(name: string): Promise<string> {
  return readFile(new URL(name, import.meta.url), 'utf8');
}
