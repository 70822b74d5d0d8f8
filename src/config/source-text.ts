// Reads YAML 1.2 strictly and remembers where each setting stands, so that every problem names line and column.

import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';

/** Something wrong with the configuration. `where` is `file:line:column`, or the file alone. */
export interface ConfigProblem {
  readonly where: string;
  readonly problem: string;
}

export type SettingPath = readonly string[];

export interface SourceText {
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** `file:line:column` of a setting's name, or of the nearest thing around it. */
  at(path: SettingPath): string;
}

const aliasLimit = 100;

/** Parses the text of a configuration file; duplicate keys, custom tags and alias bombs are problems. */
export function readSourceText(file: string, text: string): SourceText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    where: place(error.pos[0]),
    problem: `${error.message.split('\n')[0]}.`,
  }));
  const at = (path: SettingPath) => {
    const offset = offsetOf(document, path);
    return offset === undefined ? file : place(offset);
  };
  if (problems.length > 0) return { value: undefined, problems, at };
  try {
    return { value: document.toJS({ maxAliasCount: aliasLimit }), problems, at };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const problem = `More than ${aliasLimit} aliases are used. Write the settings out.`;
    return { value: undefined, problems: [{ where: file, problem }], at };
  }
}

function offsetOf(document: Document, path: SettingPath): number | undefined {
  let node: unknown = document.contents;
  let offset = isNode(node) ? node.range?.[0] : undefined;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === step);
      if (!pair || !isNode(pair.key)) return offset;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}
