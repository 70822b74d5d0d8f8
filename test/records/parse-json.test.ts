// JSON at the border: RFC 8259, and the refusals of what could be read in two ways.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CasebridgeError } from '../../src/errors.ts';
import { type JsonLimits, parseJson } from '../../src/records/records.ts';

function fault(input: string | Uint8Array, limits?: JsonLimits) {
  try {
    parseJson(input, limits);
  } catch (error) {
    if (error instanceof CasebridgeError && error.code === 'json-invalid') return error.parameters;
    throw error;
  }
  return undefined;
}

const bytes = (...parts: (string | number[])[]) => Buffer.concat(parts.map((part) => Buffer.from(part)));

describe('what JSON is', () => {
  test.each([
    ['{"a":[1,-0.5,1e3,"x",true,false,null,{}],"b":[]}'],
    [' \r\n\t{ "a" : [ 1 , 2 ] } \n'],
    ['"\\u00e9\\n\\"\\\\\\/\\ud83e\\udd55"'],
    ['"🥕 مخزن e\u0301 \u2028 \u007f"'],
    ['0'],
    ['9007199254740991'],
    ['-9007199254740991'],
    ['1e22'],
    ['0.0'],
    ['{"a":{"a":1},"b":{"a":1}}'],
    ['{"":1}'],
  ])('%s reads as JSON.parse reads it, from text and from bytes', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
    expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text));
  });

  test('every JSON value that JSON.stringify makes is read back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        const text = JSON.stringify(value);
        // Whole numbers beyond 2^53, NUL and forbidden names are refused on purpose.
        fc.pre(!/\d{16}|\\u0000/.test(text) && !/"(__proto__|constructor|prototype)":/.test(text));
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('what JSON.parse refuses is refused, wherever a text is cut or a character replaced', () => {
    const good = '{"a":[1,-2.5e+3,"x\\u00e9\\n",true,false,null],"b":{"c":""}}';
    const broken = [...good].flatMap((_, index) => [
      good.slice(0, index),
      ...[',', '}', ']', '"', ':', 'x', '0', '-', '.', '\\', '\n'].map(
        (other) => good.slice(0, index) + other + good.slice(index + 1),
      ),
    ]);
    for (const text of broken) {
      let parses = true;
      try {
        JSON.parse(text);
      } catch {
        parses = false;
      }
      if (!parses) expect([text, fault(text)]).toEqual([text, expect.objectContaining({ line: expect.any(Number) })]);
      else if (!/0\b/.test(text)) expect([text, fault(text)]).toEqual([text, undefined]);
    }
  });

  test.each([
    ['a byte order mark', bytes([0xef, 0xbb, 0xbf], '{"a":1}'), { a: 1 }],
    ['a byte order mark in a text', '\uFEFF[1]', [1]],
  ])('%s is accepted', (_, input, value) => {
    expect(parseJson(input)).toEqual(value);
  });
});

describe('what is refused, where and by which rule', () => {
  test.each<[what: string, input: string | Uint8Array, line: number, column: number, rule: string]>([
    ['nothing', '', 1, 1, 'syntax'],
    ['white space', ' \n ', 2, 2, 'syntax'],
    ['a missing comma', '{"a":1\n "b":2}', 2, 2, 'syntax'],
    ['a trailing comma', '[1,\n2,]', 2, 3, 'syntax'],
    ['a trailing comma in an object', '{"a":1,}', 1, 8, 'syntax'],
    ['a name without quotes', '{a:1}', 1, 2, 'syntax'],
    ['single quotes', "['a']", 1, 2, 'syntax'],
    ['a comment', '[1] // done', 1, 5, 'syntax'],
    ['two values', '{} {}', 1, 4, 'syntax'],
    ['a text cut off', '["abc', 1, 6, 'syntax'],
    ['an object cut off', '{"a":{"b":1}', 1, 13, 'syntax'],
    ['a line break in a text', '["a\nb"]', 1, 4, 'syntax'],
    ['a tab in a text', '["a\tb"]', 1, 4, 'syntax'],
    ['an unknown escape', '["\\x41"]', 1, 3, 'syntax'],
    ['a leading zero', '[012]', 1, 3, 'syntax'],
    ['a leading plus', '[+1]', 1, 2, 'syntax'],
    ['a bare decimal point', '[1.]', 1, 3, 'syntax'],
    ['NaN', '[NaN]', 1, 2, 'syntax'],
    ['Infinity', '[-Infinity]', 1, 2, 'syntax'],
    ['a number too large for a double', '[1e999]', 1, 2, 'number-range'],
    ['a number too small for a double', '[1e-999]', 1, 2, 'number-range'],
    ['minus zero', '{"a": -0}', 1, 7, 'number-range'],
    ['minus zero with decimals', '[-0.0]', 1, 2, 'number-range'],
    ['2^53', '[9007199254740992]', 1, 2, 'number-range'],
    ['2^53+1', '[9007199254740993]', 1, 2, 'number-range'],
    ['a doubled name', '{"a":1,\n "a":2}', 2, 2, 'duplicate-key'],
    ['a doubled name, once escaped', '{"a":1,"\\u0061":2}', 1, 8, 'duplicate-key'],
    ['a doubled name deep inside', '[{"x":{"a":1,"b":2,"a":3}}]', 1, 20, 'duplicate-key'],
    ['__proto__', '{"__proto__":{"admin":true}}', 1, 2, 'forbidden-key'],
    ['constructor deep inside', '[[{"a":{"constructor":1}}]]', 1, 9, 'forbidden-key'],
    ['prototype, escaped', '{"\\u0070rototype":1}', 1, 2, 'forbidden-key'],
    ['NUL', '["a\\u0000b"]', 1, 4, 'nul'],
    ['NUL in a name', '{"a\\u0000":1}', 1, 4, 'nul'],
    ['a high surrogate alone', '["\\ud83e"]', 1, 3, 'lone-surrogate'],
    ['a low surrogate alone', '["\\udd55"]', 1, 3, 'lone-surrogate'],
    ['a high surrogate before a letter', '["\\ud83ea"]', 1, 3, 'lone-surrogate'],
    ['two high surrogates', '["\\ud83e\\ud83e"]', 1, 3, 'lone-surrogate'],
    ['a raw lone surrogate', '["\n\ud83e"]'.replace('\n', ''), 1, 3, 'lone-surrogate'],
    ['a byte that is not UTF-8', bytes('{"a":\n"é', [0xff], '"}'), 2, 3, 'utf-8'],
    ['a character cut off', bytes('["', [0xe2, 0x82], '"]'), 1, 3, 'utf-8'],
    ['an overlong encoding', bytes('["', [0xc0, 0x80], '"]'), 1, 3, 'utf-8'],
    ['a surrogate in UTF-8', bytes('["', [0xed, 0xa0, 0x80], '"]'), 1, 3, 'utf-8'],
    ['UTF-16', new Uint8Array(Buffer.from('\uFEFF{}', 'utf16le')), 1, 1, 'utf-8'],
    ['65 levels', '['.repeat(65) + ']'.repeat(65), 1, 65, 'depth'],
    ['a million levels', '{"a":'.repeat(1_000_000), 1, 321, 'depth'],
  ])('%s', (_, input, line, column, rule) => {
    expect(fault(input)).toEqual({ line, column, rule, problem: expect.any(String) });
  });

  test('the error is a sentence with its place', () => {
    expect(() => parseJson('{"a":1,\n "a":2}')).toThrow(
      'Line 2, column 2: this name stands twice in one object. Send JSON by RFC 8259 in UTF-8.',
    );
  });

  test('64 levels are accepted, and the limit can be set', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(fault(nested(64))).toBeUndefined();
    expect(fault(`[${nested(63)},${nested(63)}]`)).toBeUndefined();
    expect(fault(nested(3), { depth: 2 })).toMatchObject({ rule: 'depth', column: 3 });
  });

  test('places can be counted from where the text lies in a larger one', () => {
    expect(fault('[1 2]', { line: 7, column: 10 })).toMatchObject({ line: 7, column: 13 });
    expect(fault('[1\n 2]', { line: 7, column: 10 })).toMatchObject({ line: 8, column: 2 });
  });

  test('refused names change no prototype', () => {
    expect(fault('{"__proto__":{"polluted":true}}')).toBeDefined();
    expect('polluted' in {}).toBe(false);
  });
});
