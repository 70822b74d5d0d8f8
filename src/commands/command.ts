// The shape of one command, and the options that several of them share.

import { type Command, InvalidArgumentError } from 'commander';
import type { SourceConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import type { Terminal } from './terminal.ts';

export interface CommandLine {
  readonly name: string;
  /** What `--config` is to this command, where it is not simply read. */
  readonly configuration?: string;
  /** Gives the command its arguments, options and help. */
  describe(command: Command): void;
  /** Does it and answers the exit code. A CasebridgeError that it throws is told, and is exit code 2. */
  run(call: CommandCall): Promise<number>;
}

export interface CommandCall {
  /** The arguments that are no options. */
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly terminal: Terminal;
}

/** The text of an option; undefined when it was not given. */
export function textOption({ options }: CommandCall, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** True for a flag that was given. */
export function flag({ options }: CommandCall, name: string): boolean {
  return options[name] === true;
}

/** The number of a port, as commander reads the value of an option. @throws InvalidArgumentError */
export function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
}

/** The source of this name. @throws CasebridgeError `source-not-configured` */
export function configuredSource(sources: ReadonlyMap<string, SourceConfig>, name: string): SourceConfig {
  const source = sources.get(name);
  if (source) return source;
  throw new CasebridgeError('source-not-configured', { source: name, hint: didYouMean(name, sources.keys()) });
}

/** For commands that work without a configuration; all take the option, so that a script may always give it. */
export const noConfiguration = 'accepted, but not read by this command';
