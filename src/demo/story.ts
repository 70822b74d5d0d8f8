// How the story looks in the terminal: numbered chapters, indented lines, small tables.

export class Story {
  readonly #write: (line: string) => void;
  #chapters = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  chapter(title: string): void {
    this.#chapters += 1;
    this.#write('');
    this.#write(`${this.#chapters}. ${title}`);
  }

  /** After the chapters. */
  end(text: string): void {
    this.#write('');
    this.#write(text);
  }

  say(text: string): void {
    this.#write(`   ${text}`);
  }

  /** Rows in columns that are as wide as their widest cell. */
  table(rows: readonly (readonly string[])[]): void {
    const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
    for (const row of rows) {
      const cells = row.map((cell, column) => cell.padEnd(width(column)));
      this.#write(`     ${cells.join('   ').trimEnd()}`);
    }
  }
}

/** `3 goals, 1 case`: how many of each, most first. */
export function countsText(counts: Iterable<readonly [string, number]>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}
