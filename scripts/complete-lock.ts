// Completes package-lock.json: gives every optional platform package that `npm install` left out an entry, so that `npm ci` works on
// every platform. Which ones npm leaves out depends on what its registry offers. Run after each change of dependencies: npm run lock.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

export interface Lock {
  packages: Record<string, LockedPackage>;
}

/** The lock with an entry for each optional package. Throws when a name does not tell the platform, or a version is a range. */
export function completeLock<L extends Lock>(lock: L): L {
  const added = Object.entries(lock.packages).flatMap(([parent, { dev, optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !placesOf(name, parent).some((place) => place in lock.packages))
      .map(([name, version]): [string, LockedPackage] => [`node_modules/${name}`, platformPackage(name, version, dev)]),
  );
  // npm's own order of keys.
  const all = [...Object.entries(lock.packages), ...added].sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lock, packages: Object.fromEntries(all) };
}

/** Where npm may have put a dependency of `parent`: beside it, or in any node_modules above. */
function placesOf(name: string, parent: string): string[] {
  const steps = parent.split('/node_modules/');
  const above = steps.map((_, index) => steps.slice(0, index + 1).join('/node_modules/'));
  return [`node_modules/${name}`, ...above.map((folder) => `${folder}/node_modules/${name}`)];
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];
const libraries: [ending: RegExp, libc: string][] = [
  [/musl(eabihf)?$/, 'musl'],
  [/gnu(eabihf)?$/, 'glibc'],
];

function platformPackage(name: string, version: string, dev: boolean | undefined): LockedPackage {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (!os || !cpu) throw new Error(`The name ${name} does not tell its platform: add its entry by hand.`);
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`${name}@${version} is a range: add its entry by hand.`);
  const libc = libraries.find(([ending]) => ending.test(name))?.[1];
  return { version, cpu: [cpu], ...(dev && { dev }), ...(libc && { libc: [libc] }), optional: true, os: [os] };
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '..', 'package-lock.json');
  const before = await readFile(path, 'utf8');
  const after = `${JSON.stringify(completeLock(JSON.parse(before)), null, 2)}\n`;
  await writeFile(path, after);
  console.log(after === before ? 'package-lock.json was complete.' : 'package-lock.json is complete now.');
}
