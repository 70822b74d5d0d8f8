// One typed, validated configuration from casebridge.yaml and the environment (design section 8, Configuration).
// The only reader of the environment.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkShape } from './config/check-shape.ts';
import { complete } from './config/complete.ts';
import { resolveReference, type SecretPlaces } from './config/secrets.ts';
import { type ConfigProblem, readSourceText } from './config/source-text.ts';
import type { Config } from './config/types.ts';
import { errorCode } from './error-code.ts';
import { CasebridgeError } from './errors.ts';

export { homeConnection, organizationsOf, partnerScopes, withCopies } from './config/partners.ts';
export { documentedTypes } from './config/routes.ts';
export { namePattern } from './config/schema.ts';
export * from './config/types.ts';

const defaultConfigFile = 'casebridge.yaml';

/**
 * Reads and checks the configuration. Relative paths in it count from its own folder.
 * @throws CasebridgeError `config-missing` when there is no such file, `config-invalid` with every problem found, one a line
 */
export async function loadConfig(
  file: string = defaultConfigFile,
  env: SecretPlaces['env'] = process.env,
): Promise<Config> {
  const checked = await checkConfig(file, await readText(file), env);
  if ('config' in checked) return checked.config;
  const [first, ...others] = checked.problems;
  const problem = [first?.problem, ...others.map((other) => `${other.where}: ${other.problem}`)].join('\n');
  throw new CasebridgeError('config-invalid', { where: first?.where ?? file, problem });
}

/** The configuration in `text`, or every problem with it. `file` names it and says what relative paths count from. */
export async function checkConfig(
  file: string,
  text: string,
  env: SecretPlaces['env'],
): Promise<{ config: Config } | { problems: readonly ConfigProblem[] }> {
  const source = readSourceText(file, text);
  if (source.problems.length > 0) return { problems: source.problems };
  const shape = checkShape(source);
  return 'raw' in shape ? complete(resolve(file), shape.raw, source, env) : shape;
}

const shortestToken = 16;

/** Of tokens that callers of ours present: which are short enough to be guessed. */
export function tokenWarnings({ sources, operators }: Pick<Config, 'sources' | 'operators'>): string[] {
  const named = [
    ...[...sources].map(([name, { token }]) => [`sources.${name}.token`, token] as const),
    ...[...operators].map(([name, { token }]) => [`operators.${name}.token`, token] as const),
  ];
  return named.flatMap(([setting, { length }]) =>
    length < shortestToken
      ? `${setting} has fewer than ${shortestToken} characters and could be guessed. Take one at random, as of: openssl rand -hex 32`
      : [],
  );
}

/**
 * A secret that a command was given as `env:NAME` or `file:PATH`; relative paths count from the working directory.
 * @throws CasebridgeError `config-invalid` naming the option, never the value
 */
export async function commandSecret(
  option: string,
  reference: string,
  env: SecretPlaces['env'] = process.env,
): Promise<string> {
  const resolved = await resolveReference(reference, { env, folder: '.' });
  if ('value' in resolved) return resolved.value;
  throw new CasebridgeError('config-invalid', { where: option, problem: `${resolved.problem}.` });
}

/** True where `npm run` started this program: npm then stands between it and whoever stops it. */
export function isUnderNpm(env: SecretPlaces['env'] = process.env): boolean {
  return env.npm_lifecycle_event !== undefined;
}

/**
 * Where `npm run casebridge` was called: npm itself starts the program in our own folder. Undefined: it is where it was called. A script of that name of
 * another package, or what such a script starts elsewhere, is not npm's start of ours.
 * @param cwd where the program was started
 */
export function callersFolder(cwd: string, env: SecretPlaces['env'] = process.env): string | undefined {
  const isOurs = env.npm_lifecycle_event === 'casebridge' && cwd === resolve(import.meta.dirname, '..');
  return isOurs ? env.INIT_CWD : undefined;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = errorCode(error) ?? 'unreadable';
    throw new CasebridgeError('config-missing', { file, code }, { cause: error });
  }
}
