// Lines of at most 78 characters (closed-loop.md B8).

const lineWidth = 78;
/** A longer word is broken where the line ends instead of leaving most of it empty: so texts of long words cost no more than others. */
const longWord = 20;

/** The words of an ASCII text in lines; the first begins with `first`, the others with `rest`. */
export function wrap(text: string, first: string, rest: string): string[] {
  const lines: string[] = [];
  let [line, empty] = [first, true];
  const next = () => {
    lines.push(line.trimEnd());
    line = rest;
    empty = true;
  };
  for (const word of text.split(' ').filter((each) => each !== '')) {
    let left = word;
    while (left !== '') {
      const space = empty ? '' : ' ';
      const room = lineWidth - line.length - space.length;
      if (left.length <= room) {
        line += space + left;
        left = '';
        empty = false;
      } else if (left.length > longWord && room > 0) {
        line += space + left.slice(0, room);
        left = left.slice(room);
        next();
      } else {
        next();
      }
    }
  }
  if (!empty || lines.length === 0) lines.push(line.trimEnd());
  return lines;
}
