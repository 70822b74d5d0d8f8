// What a tool that is no part of the product is asked on its command line: `npm run <tool> -- [options]`.

import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * The options and words after `npm run <tool> --`. With `--help` it tells which there are and ends the process; with one that the tool does not have,
 * too, with code 2.
 *
 * @param words what may stand beside options, as it is shown; none may where it is left out
 */
export function toolOptions<T extends Options>(tool: string, options: T, words?: string) {
  const shown = Object.entries(options).map(([name, { type, default: usual }]) => {
    const value = type === 'boolean' ? '' : typeof usual === 'string' ? ` ${usual}` : ' …';
    return `[--${name}${value}]`;
  });
  const usage = ['npm run', tool, '--', ...shown, ...(words === undefined ? [] : [words])].join(' ');
  if (process.argv.includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    const asked = parseArgs({ options, allowPositionals: true });
    if (words === undefined && asked.positionals.length > 0) throw new Error('Only options are taken.');
    return asked;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}
