// What every command has in common: help, --json, exit code 2 for a command line that cannot be read.

import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { runCommandLine } from '../../src/commands/commands.ts';
import { casebridge, collected, commandLine, lastLine } from './program.ts';

const commands: [string, string[]][] = [
  ['serve', ['--no-lanes']],
  ['worker', []],
  ['demo', ['--keep']],
  ['sandbox', ['--port', '--host']],
  ['import', ['--source', '--url', '--token']],
  ['map', ['--source', '--loss']],
  ['doctor', ['--url', '--token']],
  ['keys', ['--out', '--alg']],
];

test('help lists every command', async () => {
  const { code, out, err } = await casebridge(['--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const [name] of commands) expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
});

test.each(commands)('%s --help says what it does and takes, on standard output', async (name, options) => {
  const { code, out, err } = await commandLine([name, '--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain(`Usage: casebridge ${name}`);
  for (const option of [...options, '--config', '--json']) expect(out).toContain(option);
});

describe('a command line that cannot be read is exit code 2, and told on standard error', () => {
  const rows: [string, string[], string][] = [
    ['no command', [], 'Usage: casebridge'],
    ['an unknown command', ['serv'], "error: unknown command 'serv'"],
    ['an unknown command with --help', ['serv', '--help'], "error: unknown command 'serv'"],
    ['help of an unknown command', ['help', 'serv'], "error: unknown command 'serv'"],
    ['an unknown option', ['serve', '--port', '1'], "error: unknown option '--port'"],
    ['an option without its value', ['serve', '--config'], "error: option '--config <file>' argument missing"],
    ['a missing option', ['import', 'a.ndjson'], "error: required option '--source <name>' not specified"],
    ['a missing argument', ['import', '--source', 'county'], "error: missing required argument 'file'"],
    ['too many arguments', ['keys', 'key.jwk'], "error: too many arguments for 'keys'"],
    ['a port that is none', ['sandbox', '--port', '80800'], 'A port is a whole number from 0 to 65535.'],
    ['an algorithm that is none', ['keys', '--alg', 'HS256'], 'Allowed choices are ES384, RS384.'],
    [
      '--url without --token',
      ['doctor', '--url', 'http://127.0.0.1:1'],
      '--url needs --token env:NAME or --token file:PATH.',
    ],
    ['--token without --url', ['doctor', '--token', 'env:A'], '--token is for a running gateway: give its --url too.'],
    [
      'a --url that is none',
      ['doctor', '--url', 'localhost', '--token', 'env:A'],
      '--url must be the address of a gateway',
    ],
  ];
  test.each(rows)('%s', async (_what, words, text) => {
    const { code, out, err } = await commandLine(words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(text);
  });

  test('with --json the last line of standard output says it too', async () => {
    const ended = await casebridge(['serve', '--json', '--port', '1']);
    expect(ended.code).toBe(2);
    expect(lastLine(ended)).toEqual({
      error: { code: 'command-line-invalid', text: "unknown option '--port'. See --help." },
    });
  });
});

test('a reader that has seen enough is no fault', async () => {
  const { code, err } = await casebridge(['map', '--loss'], { closeOutput: true });
  // Standard error, which somebody still reads, has what the mappings leave undone, and nothing else.
  const others = err
    .split('\n')
    .filter((line) => line !== '' && !line.includes('No rule fills what must be supported by'));
  expect({ code, others }).toEqual({ code: 0, others: [] });
});

test('what a command leaves behind does not keep its process', async () => {
  const env = { NODE_OPTIONS: '--import=data:text/javascript,setInterval(()=>{},1000)' };
  const { code, out } = await casebridge(['map', '--loss'], { env });
  expect([code, out.length > 100]).toEqual([0, true]);
});

test('a fault that no command expects is exit code 2: its kind and its place in the code are told, never its text', async () => {
  const err: string[] = [];
  const out = new Writable();
  out.write = () => {
    throw Object.assign(new RangeError('Rosa Delgado'), { code: 'EBROKEN' });
  };
  expect(await runCommandLine(['map', '--loss'], { out, err: collected(err) })).toBe(2);
  const told = err.join('');
  expect(told).toMatch(
    /^This is a fault of Casebridge \(RangeError EBROKEN\)\. Please report it together with the lines that follow\.\n {4}at /m,
  );
  expect(told).not.toContain('Delgado');
});
