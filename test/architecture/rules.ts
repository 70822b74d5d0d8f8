// The rules on the source tree that a compiler does not know, each as a function from a file to what breaks it.

export interface SourceFile {
  /** From the project's folder, with slashes: `src/lanes/plan.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Rule {
  readonly name: string;
  violations(file: SourceFile): string[];
}

/**
 * Folders import each other only through `<folder>/<folder>.ts`. Files in src itself are free to all, and one of a folder's name
 * (`config.ts`) belongs to that folder.
 */
const frontDoors: Rule = {
  name: 'folders are entered by their front door',
  violations: ({ path, text }) =>
    importsOf(text)
      .filter((target) => target.startsWith('.'))
      .map((target) => new URL(target, `file:///${path}`).pathname.slice(1))
      .filter((target) => {
        const [root, folder, ...rest] = target.split('/');
        if (root !== 'src') return true;
        return (
          rest.length > 0 && folder !== path.split('/')[1]?.replace(/\.ts$/, '') && rest.join('/') !== `${folder}.ts`
        );
      }),
};

const oneReaderOfTheEnvironment: Rule = {
  name: 'only config.ts reads the environment',
  violations: ({ path, text }) => (path === 'src/config.ts' ? [] : found(text, /process\.env\b/g)),
};

/** The folders of which all is pure. */
const pureFolders = /^src\/(mapping|clocks|fhir|documents)\//;

/** Its head says so. */
function isSaidPure(text: string): boolean {
  const head = text.match(/^(?:\/\/.*\n)*/)?.[0] ?? '';
  return /\bPure[.:;]/.test(head);
}

const purity: Rule = {
  name: 'what says that it is pure knows no clock and no chance',
  violations: ({ path, text }) =>
    pureFolders.test(path) || isSaidPure(text)
      ? found(text, /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\brandomUUID\b|\bperformance\.now\b/g)
      : [],
};

/** FHIR's definitions cost 200 MB and a second (they are compiled to facts instead); the router is the sandbox's. */
const sandboxOnly: Rule = {
  name: 'FHIR definitions and router are loaded by the sandbox alone',
  violations: ({ path, text }) =>
    path.startsWith('src/sandbox/')
      ? []
      : importsOf(text).filter((target) => /^@medplum\/(definitions|fhir-router)\b/.test(target)),
};

/** The store's `tx` repeats what the database ended, and refuses a query beside the handle; Kysely's own does neither. */
const oneWayIntoTransactions: Rule = {
  name: 'transactions are started by the store',
  violations: ({ path, text }) =>
    path.startsWith('src/store/') ? [] : found(text, /\.(?:transaction|startTransaction)\(\)/g),
};

const namedExports: Rule = {
  name: 'files export names, and no file is called index',
  violations: ({ path, text }) => [...found(text, /^export default\b/gm), ...found(path, /\bindex\.ts$/g)],
};

export const rules = [
  frontDoors,
  oneReaderOfTheEnvironment,
  purity,
  sandboxOnly,
  oneWayIntoTransactions,
  namedExports,
] satisfies Rule[];

function importsOf(text: string): string[] {
  const imports = withoutComments(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g);
  return [...imports].map(([, target = '']) => target);
}

function found(text: string, pattern: RegExp): string[] {
  return [...withoutComments(text).matchAll(pattern)].map(([match]) => match);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, '');
}
