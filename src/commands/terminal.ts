// What a command tells: its result on standard output, everything else where it does not get in the way of a program that reads it.

import type { Writable } from 'node:stream';

export interface Streams {
  readonly out: Writable & { readonly isTTY?: boolean };
  readonly err: Writable & { readonly isTTY?: boolean };
}

export class Terminal {
  readonly json: boolean;
  readonly #streams: Streams;
  #progressed = false;

  constructor(json: boolean, streams: Streams) {
    this.json = json;
    this.#streams = streams;
  }

  /** A line for people. With --json it goes to standard error. */
  say(line: string): void {
    this.#clear();
    (this.json ? this.#streams.err : this.#streams.out).write(`${line}\n`);
  }

  /** A line about something that is not as it should be. */
  warn(line: string): void {
    this.#clear();
    this.#streams.err.write(`${line}\n`);
  }

  /** How far long work has come; shown on a terminal only, where each one replaces the one before. */
  progress(line: string): void {
    if (!this.#streams.err.isTTY) return;
    this.#streams.err.write(`\r\u001b[K${line}`);
    this.#progressed = true;
  }

  /** What the command was asked for: with --json the last line of standard output, else `lines`. */
  result(value: object, lines: readonly string[]): void {
    this.#clear();
    this.#streams.out.write(this.json ? `${JSON.stringify(value)}\n` : lines.map((line) => `${line}\n`).join(''));
  }

  #clear(): void {
    if (this.#progressed) this.#streams.err.write('\r\u001b[K');
    this.#progressed = false;
  }
}

/** Rows of a table with their columns under each other. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
