// As much of PostgreSQL's extended protocol as the embedded database is spoken to with (PostgreSQL manual, chapter "Message Formats"): a statement is
// prepared once and then costs one message there and one back. PGlite's own way takes five a statement and parses it anew each time.

export interface Column {
  readonly name: string;
  readonly type: number;
}

/** What the database tells of a statement when it is prepared; types by their OIDs. */
export interface Described {
  readonly parameters: readonly number[];
  readonly columns: readonly Column[];
}

/** Reads a column's text as its type, by OID. */
export type ReadText = (type: number, text: string) => unknown;

export interface Notification {
  readonly channel: string;
  readonly payload: string;
}

export interface Answered {
  readonly command: string;
  readonly rowCount: number;
  readonly rows: readonly unknown[];
}

/** An error of the database, with the fields that PostgreSQL's drivers give it. */
class ProtocolError extends Error {
  readonly severity: string;
  readonly code: string;
  readonly table: string | undefined;
  readonly constraint: string | undefined;

  constructor(fields: ReadonlyMap<string, string>) {
    super(fields.get('M') ?? '');
    this.name = 'ProtocolError';
    this.severity = fields.get('S') ?? '';
    this.code = fields.get('C') ?? '';
    this.table = fields.get('t');
    this.constraint = fields.get('n');
  }
}

const sync = message('S', Buffer.alloc(0));
const execute = message('E', Buffer.from([0, 0, 0, 0, 0]));

/** Parse and describe. */
export function prepareMessage(name: string, text: string): Buffer {
  const parse = message('P', Buffer.from(`${name}\0${text}\0\0\0`, 'utf8'));
  return Buffer.concat([parse, message('D', Buffer.from(`S${name}\0`, 'utf8')), sync]);
}

/** One statement or several, without parameters. */
export function simpleMessage(text: string): Buffer {
  return message('Q', Buffer.from(`${text}\0`, 'utf8'));
}

/** Binds and runs a prepared statement; parameters and results go as text. */
export function runMessage(name: string, values: readonly (string | null)[]): Buffer {
  const head = Buffer.from(`\0${name}\0\0\0`, 'latin1');
  const count = Buffer.alloc(2);
  count.writeUInt16BE(values.length);
  const parts = values.flatMap((value) => {
    const length = Buffer.alloc(4);
    if (value === null) {
      length.writeInt32BE(-1);
      return [length];
    }
    const bytes = Buffer.from(value, 'utf8');
    length.writeInt32BE(bytes.length);
    return [length, bytes];
  });
  const bind = message('B', Buffer.concat([head, count, ...parts, Buffer.from([0, 0])]));
  return Buffer.concat([bind, execute, sync]);
}

/** @throws ProtocolError */
export function readDescription(all: Buffer): Described {
  let parameters: number[] = [];
  let columns: Column[] = [];
  eachMessage(all, (type, body) => {
    if (type === 't')
      parameters = Array.from({ length: body.readUInt16BE(0) }, (_, at) => body.readUInt32BE(2 + 4 * at));
    if (type === 'T') columns = readColumns(body);
  });
  return { parameters, columns };
}

/**
 * What the last statement of the answer gave.
 *
 * @param described columns of a prepared statement; several statements tell theirs on the way
 * @throws ProtocolError for the first that failed
 */
export function readAnswer(all: Buffer, described: readonly Column[], readText: ReadText): Answered {
  let columns = described;
  let rows: object[] = [];
  let tag = '';
  let hasColumns = described.length > 0;
  eachMessage(all, (type, body) => {
    if (type === 'T') {
      columns = readColumns(body);
      rows = [];
      hasColumns = true;
    }
    if (type === 'D') rows.push(readRow(body, columns, readText));
    // A statement without columns of its own ends what the one before it gave.
    if (type === 'C') {
      if (tag !== '' && !hasColumns) rows = [];
      tag = body.toString('utf8', 0, body.length - 1);
      hasColumns = false;
    }
  });
  return { command: tag.split(' ')[0] ?? '', rowCount: Number(/\d+$/.exec(tag)?.[0] ?? 0), rows };
}

/** What other statements, or this one, have announced with NOTIFY. */
export function readNotifications(all: Buffer): Notification[] {
  const found: Notification[] = [];
  for (const { type, body } of messages(all)) {
    if (type !== 'A') continue;
    const [channel = '', payload = ''] = body.subarray(4).toString('utf8').split('\0');
    found.push({ channel, payload });
  }
  return found;
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function* messages(all: Buffer): Generator<{ type: string; body: Buffer }> {
  for (let at = 0; at < all.length; ) {
    const end = at + 1 + all.readUInt32BE(at + 1);
    yield { type: String.fromCharCode(all.readUInt8(at)), body: all.subarray(at + 5, end) };
    at = end;
  }
}

function eachMessage(all: Buffer, read: (type: string, body: Buffer) => void): void {
  for (const { type, body } of messages(all)) {
    if (type === 'E') throw new ProtocolError(readFields(body));
    read(type, body);
  }
}

function readFields(body: Buffer): Map<string, string> {
  const fields = body.toString('utf8').split('\0').filter(Boolean);
  return new Map(fields.map((field) => [field.slice(0, 1), field.slice(1)]));
}

function readColumns(body: Buffer): Column[] {
  const columns: Column[] = [];
  let at = 2;
  while (columns.length < body.readUInt16BE(0)) {
    const end = body.indexOf(0, at);
    columns.push({ name: body.toString('utf8', at, end), type: body.readUInt32BE(end + 7) });
    at = end + 19;
  }
  return columns;
}

function readRow(body: Buffer, columns: readonly Column[], readText: ReadText): object {
  const row: Record<string, unknown> = {};
  let at = 2;
  for (const { name, type } of columns) {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) {
      row[name] = null;
      continue;
    }
    row[name] = readText(type, body.toString('utf8', at, at + length));
    at += length;
  }
  return row;
}
