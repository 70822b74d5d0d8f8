// `map --watch`: maps again whenever a mapping or a record file changes, and shows what differs from before. A mapping that does not load leaves
// the last one standing.

import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { styleText } from 'node:util';
import { diffLines } from 'diff';

/** Editors write a file in several steps. */
const quietMs = 150;
const contextLines = 2;

/** Calls `changed` once for each burst of changes below the folders and beside the files, until the signal aborts. */
export function onChange(
  { folders, files }: { readonly folders: readonly string[]; readonly files: readonly string[] },
  changed: () => void,
  signal: AbortSignal,
): void {
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, quietMs);
  };
  const watchers: FSWatcher[] = [
    ...folders.map((folder) => watch(folder, { recursive: true }, soon)),
    // A file that an editor replaces is another file: its folder is watched.
    ...[...new Set(files.map((file) => dirname(file)))].map((folder) => watch(folder, soon)),
  ];
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
    { once: true },
  );
}

/** What differs between two texts, with a little of what stands around it; lines begin with `+`, `-` or a space. Empty: nothing. */
export function differences(before: string, after: string): string[] {
  const parts = diffLines(before, after);
  return parts.flatMap(({ value, added, removed }, at): string[] => {
    const lines = value.replace(/\n$/, '').split('\n');
    if (added) return lines.map((line) => styleText('green', `+${line}`));
    if (removed) return lines.map((line) => styleText('red', `-${line}`));
    return around(lines, at > 0, at < parts.length - 1).map((line) => ` ${line}`);
  });
}

/** Of what stays the same, the lines next to a change. */
function around(lines: readonly string[], isAfter: boolean, isBefore: boolean): string[] {
  const head = isAfter ? contextLines : 0;
  const tail = isBefore ? contextLines : 0;
  if (lines.length <= head + tail) return [...lines];
  const kept = [...lines.slice(0, head), ...(head + tail > 0 ? ['…'] : []), ...(tail > 0 ? lines.slice(-tail) : [])];
  return kept;
}
