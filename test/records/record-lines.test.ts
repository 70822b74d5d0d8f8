// A stream of records: NDJSON or one JSON array. One bad line is one error, and the rest goes on.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '../../src/json.ts';
import { type RecordLine, type RecordLineLimits, readRecordLines } from '../../src/records/records.ts';

async function* chunksOf(input: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(input);
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function collect(lines: AsyncIterable<RecordLine>): Promise<RecordLine[]> {
  const all: RecordLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

async function read(input: string | Uint8Array, limits?: RecordLineLimits, chunkSize = 5): Promise<RecordLine[]> {
  return collect(readRecordLines(chunksOf(input, chunkSize), limits));
}

// Lines as `line: value` or `line! rule`, elements as `line/element`.
async function summary(input: string | Uint8Array, limits?: RecordLineLimits, chunkSize?: number): Promise<string[]> {
  return (await read(input, limits, chunkSize)).map((item) => {
    const place = item.element === undefined ? `${item.line}` : `${item.line}/${item.element}`;
    return 'value' in item ? `${place}: ${JSON.stringify(item.value)}` : `${place}! ${item.error.rule}`;
  });
}

const bom = '\uFEFF';
const badByte = Buffer.concat([Buffer.from('{"a":1}\n{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n{"a":3}\n')]);

type Row = [what: string, input: string | Uint8Array, lines: string[]];

describe('NDJSON', () => {
  test.each<Row>([
    ['lines', '{"a":1}\n{"a":2}\n', ['1: {"a":1}', '2: {"a":2}']],
    ['a last line without an end', '{"a":1}\n{"a":2}', ['1: {"a":1}', '2: {"a":2}']],
    ['a byte order mark', `${bom}{"a":1}\n`, ['1: {"a":1}']],
    ['CRLF', '{"a":1}\r\n{"a":2}\r\n', ['1: {"a":1}', '2: {"a":2}']],
    ['blank lines, which count', '\n  \n{"a":1}\n\r\n\t\n{"a":2}\n\n', ['3: {"a":1}', '6: {"a":2}']],
    ['nothing', '', []],
    ['a byte order mark and nothing', bom, []],
    ['white space only', ' \r\n \n', []],
    ['characters cut between chunks', '{"a":"🥕é🥕"}\n{"a":"ééé"}', ['1: {"a":"🥕é🥕"}', '2: {"a":"ééé"}']],
    ['broken JSON on one line', '{"a":1}\n{"a":\n{"a":3}\n', ['1: {"a":1}', '2! syntax', '3: {"a":3}']],
    ['a last line cut off', '{"a":1}\n{"a":2', ['1: {"a":1}', '2! syntax']],
    ['invalid UTF-8 on one line', badByte, ['1: {"a":1}', '2! utf-8', '3: {"a":3}']],
    ['a doubled name on one line', '{"a":1,"a":1}\n{"a":2}', ['1! duplicate-key', '2: {"a":2}']],
    ['one record over many lines, which is one error', '\n{\n  "a": 1,\n  "b": 2\n}\n', ['2! syntax']],
    ['a brace alone on a later line', '{"a":1}\n{\n{"a":3}\n', ['1: {"a":1}', '2! syntax', '3: {"a":3}']],
    ['lines that are no objects', 'null\n"x"\n7', ['1: null', '2: "x"', '3: 7']],
  ])('%s', async (_, input, lines) => {
    for (const chunkSize of [1, 2, 7, 1000]) expect(await summary(input, {}, chunkSize)).toEqual(lines);
  });

  test('an error tells line and column of the stream', async () => {
    expect(await read('\n{"a":1}\n  {"a" 1}\n')).toEqual([
      { line: 2, value: { a: 1 } },
      {
        line: 3,
        error: {
          pointer: '',
          rule: 'syntax',
          found: '9 bytes',
          message: 'Line 3, column 8: a colon should stand here. Send JSON by RFC 8259 in UTF-8.',
        },
      },
    ]);
  });

  test('a record over many lines is told what to do', async () => {
    expect(await read('{\n  "a": 1\n}\n')).toMatchObject([
      {
        error: {
          message:
            'Line 1, column 1: this record goes over several lines. Give one record a line, or a JSON array of {"type": …, "record": …}. It was read up to here only: mend it and send it again.',
        },
      },
    ]);
  });

  test('a line over the limit is refused alone, a line at the limit is read', async () => {
    const at = `"${'x'.repeat(48)}"`;
    const over = `"${'x'.repeat(49)}"`;
    const text = `${at}\n${over}\n${over}${over}\n${at}\n${over}`;
    for (const size of [1, 8, 1000]) {
      expect(await summary(text, { maxBytes: 50 }, size)).toEqual([
        `1: ${at}`,
        '2! too-long',
        '3! too-long',
        `4: ${at}`,
        '5! too-long',
      ]);
    }
    expect((await read(over, { maxBytes: 50 }))[0]).toMatchObject({ error: { found: 'more than 50 bytes' } });
  });

  test('the limit is 1 MiB where none is set', async () => {
    const line = (bytes: number) => `"${'x'.repeat(bytes - 2)}"\n`;
    const lines = await read(line(1_048_576) + line(1_048_577), {}, 65_536);
    expect(lines.map((item) => 'value' in item)).toEqual([true, false]);
  });
});

describe('a JSON array', () => {
  test.each<Row>([
    ['elements', '[{"a":1},{"a":2}]', ['1/1: {"a":1}', '1/2: {"a":2}']],
    [
      'elements over lines, by the line where they begin',
      ' \n[\n{"a":\n1},\n\n {"a":2}\n]\n',
      ['3/1: {"a":1}', '6/2: {"a":2}'],
    ],
    ['a byte order mark', `${bom}[{"a":1}]`, ['1/1: {"a":1}']],
    ['none', '[]', []],
    ['none, with white space', ' [ \r\n ] \n', []],
    ['brackets and quotes inside texts', '[{"a":"]},[\\""},["}"]]', ['1/1: {"a":"]},[\\""}', '1/2: ["}"]']],
    ['backslashes before a quote', '["\\\\","b"]', ['1/1: "\\\\"', '1/2: "b"']],
    [
      'elements that are no objects',
      '[null,7,"x",true,[[1]]]',
      ['1/1: null', '1/2: 7', '1/3: "x"', '1/4: true', '1/5: [[1]]'],
    ],
    ['a doubled name: that element alone', '[{"a":1,"a":1},{"a":2}]', ['1/1! duplicate-key', '1/2: {"a":2}']],
    ['a forbidden name: that element alone', '[{"__proto__":1},{"a":2}]', ['1/1! forbidden-key', '1/2: {"a":2}']],
    ['broken JSON ends it', '[{"a":1},{"a":},{"a":3}]', ['1/1: {"a":1}', '1/2! syntax']],
    ['an unknown word ends it', '[nul,{"a":3}]', ['1/1! syntax']],
    ['a wrong bracket ends it', '[{"a":1],{"a":3}]', ['1/1! syntax']],
    ['a missing comma ends it', '[{"a":1}\n{"a":2},{"a":3}]', ['1/1: {"a":1}', '2! syntax']],
    ['a trailing comma ends it', '[1,]', ['1/1: 1', '1! syntax']],
    ['a doubled comma ends it', '[1,,2]', ['1/1: 1', '1! syntax']],
    ['a leading comma ends it', '[,1]', ['1! syntax']],
    ['a closing brace ends it', '[}]', ['1! syntax']],
    ['something behind it', '[1]\n{"a":1}', ['1/1: 1', '2! syntax']],
    ['cut off in an element', '[1,\n{"a":', ['1/1: 1', '2/2! syntax']],
    ['cut off between elements', '[1,\n', ['1/1: 1', '2! syntax']],
    ['cut off at once', '[', ['1! syntax']],
  ])('%s', async (_, input, lines) => {
    for (const chunkSize of [1, 2, 7, 1000]) expect(await summary(input, {}, chunkSize)).toEqual(lines);
  });

  test('invalid UTF-8 in one element is its own error', async () => {
    const input = Buffer.concat([Buffer.from('[{"a":"'), Buffer.from([0xff]), Buffer.from('"},{"a":2}]')]);
    expect(await summary(input)).toEqual(['1/1! utf-8', '1/2: {"a":2}']);
  });

  test('an element over the limit is refused alone', async () => {
    expect(await summary(`[1,{"a":"${'x'.repeat(60)}"},[2]]`, { maxBytes: 50 })).toEqual([
      '1/1: 1',
      '1/2! too-long',
      '1/3: [2]',
    ]);
  });

  test('an error that ends it says so, with its place in the stream', async () => {
    expect(await read('[\n{"a":1},\n  {"a" 1}, 3]')).toEqual([
      { line: 2, element: 1, value: { a: 1 } },
      {
        line: 3,
        element: 2,
        error: {
          pointer: '',
          rule: 'syntax',
          found: '7 bytes',
          message:
            'Line 3, column 8: a colon should stand here. Send JSON by RFC 8259 in UTF-8. It was read up to here only: mend it and send it again.',
        },
      },
    ]);
  });
});

test('any values come back in order, however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.json({ stringUnit: 'grapheme' }), { maxLength: 5 }),
      fc.integer({ min: 1, max: 20 }),
      async (texts, size) => {
        fc.pre(
          !/\d{16}|-0|\\u0000|__proto__|constructor|prototype|e-?\d/.test(texts.join()) && !texts[0]?.startsWith('['),
        );
        const values: Json[] = texts.map((text) => JSON.parse(text));
        const kept = (lines: RecordLine[]) => lines.map((item) => ('value' in item ? item.value : item.error));
        expect(kept(await read(texts.join('\n'), {}, size))).toEqual(values);
        expect(kept(await read(`[${texts.join(' ,\n')}]`, {}, size))).toEqual(values);
      },
    ),
  );
});

describe.each([
  ['NDJSON', '', '\n'],
  ['an array', '[', ','],
])('%s in constant memory', (_, head, separator) => {
  test('a line of 16 MB is never held', async () => {
    const chunk = Buffer.alloc(65_536, 'x');
    let given = 0;
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${head}1${separator}"`);
      for (; given < 256; given++) yield chunk;
      yield Buffer.from(`"${separator}2${head === '' ? '' : ']'}`);
    }
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const lines: string[] = [];
    for await (const item of readRecordLines(stream())) {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      lines.push('value' in item ? JSON.stringify(item.value) : item.error.rule);
    }
    expect(lines).toEqual(['1', 'too-long', '2']);
    expect(most).toBeLessThan(8_000_000);
  });

  test('no more of the stream is taken than what was asked for', async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(head);
      for (;;) {
        taken++;
        yield Buffer.from(`{"n":${taken}}${separator}`);
      }
    }
    let seen = 0;
    for await (const item of readRecordLines(endless())) {
      expect('value' in item).toBe(true);
      expect(taken - seen).toBeLessThan(5);
      if (++seen === 1000) break;
    }
  });
});

test('a stream that fails is not taken for one that ended', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"a":1}\n{"a":');
    throw new Error('connection reset');
  }
  await expect(collect(readRecordLines(failing()))).rejects.toThrow('connection reset');
});
