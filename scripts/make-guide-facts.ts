// Writes the facts of a FHIR guide package to src/fhir/facts/<name>-<version>.json.
//   node scripts/make-guide-facts.ts PACKAGE.tgz NAME [DEPENDENCY.tgz...]
// NAME is how the file is called: us-core, sdohcc. Dependencies are packages whose profiles and value sets this one points to.

import { readFileSync, writeFileSync } from 'node:fs';
import { readBaseDefinitions } from '../src/fhir/make-facts/base-definitions.ts';
import { makeGuideFacts } from '../src/fhir/make-facts/guide.ts';
import { readGuidePackage } from '../src/fhir/make-facts/package.ts';

const [file, name, ...dependencies] = process.argv.slice(2);
if (file === undefined || name === undefined) {
  console.error('Usage: node scripts/make-guide-facts.ts PACKAGE.tgz NAME [DEPENDENCY.tgz...]');
  process.exit(2);
}

const library = readBaseDefinitions();
const guide = readGuidePackage({ name: file, bytes: readFileSync(file) });
const others = dependencies.map((other) => readGuidePackage({ name: other, bytes: readFileSync(other) }));
for (const definition of [...others, guide].flatMap(({ definitions }) => definitions)) {
  library.add(definition);
}

const unresolved = new Set<string>();
const facts = makeGuideFacts(library, guide, (canonical, element) => {
  unresolved.add(`${canonical} (${element})`);
});
const target = new URL(`../src/fhir/facts/${name}-${guide.version}.json`, import.meta.url);
const text = `${JSON.stringify(facts)}\n`;
writeFileSync(target, text);
console.log(`${target.pathname}: ${text.length} bytes, ${Object.keys(facts.profiles).length} profiles`);
for (const line of unresolved) {
  console.log(`left open, as no package holds it: ${line}`);
}
