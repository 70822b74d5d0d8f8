// `guide`: the facts of a FHIR guide package, which mappings may then claim and check against (docs/guides.md).

import { readFile, stat, writeFile } from 'node:fs/promises';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import { guideFromPackage, type MadeGuide, type PackageFile } from '../fhir/fhir.ts';
import { type CommandLine, noConfiguration, textOption } from './command.ts';
import { checkReadable } from './record-files.ts';

/** Far above the largest published guide. */
const mostBytes = 256 * 1024 * 1024;

export const guide: CommandLine = {
  name: 'guide',
  configuration: noConfiguration,

  describe(command) {
    command
      .description(
        'Make the facts of a FHIR R4 guide package, for mappings to name its profiles and be checked against them.',
      )
      .argument('<package.tgz>', 'the package, as its publisher made it')
      .option('--out <file>', 'file for the facts (default: NAME-VERSION.json)')
      .option('--with <package.tgz...>', 'packages whose profiles and value sets this one points to');
  },

  async run(call) {
    const [file = ''] = call.words;
    const others = Array.isArray(call.options.with) ? call.options.with.map(String) : [];
    await checkReadable([file, ...others]);
    const made = guideFromPackage(await packageAt(file), await Promise.all(others.map(packageAt)));
    const { facts, ...rest } = made;
    const out =
      textOption(call, 'out') ?? `${facts.guide}-${facts.version}`.replaceAll(/[^A-Za-z0-9._-]/g, '-').concat('.json');
    const text = `${JSON.stringify(facts)}\n`;
    await writeFile(out, text).catch((error: unknown) => {
      throw new CasebridgeError(
        'file-unwritable',
        { file: out, code: errorCode(error) ?? 'unknown' },
        { cause: error },
      );
    });
    const about = { file: out, bytes: Buffer.byteLength(text), guide: facts.guide, version: facts.version };
    call.terminal.result({ ...about, ...rest }, reportLines(about, made));
    return 0;
  },
};

async function packageAt(file: string): Promise<PackageFile> {
  const { size } = await stat(file);
  if (size > mostBytes)
    throw new CasebridgeError('guide-package-invalid', { file, problem: `it is larger than ${mostBytes} bytes` });
  return { name: file, bytes: await readFile(file) };
}

interface About {
  readonly file: string;
  readonly bytes: number;
  readonly guide: string;
  readonly version: string;
}

function reportLines({ file, bytes, guide, version }: About, made: MadeGuide): string[] {
  const { profiles, extensions, valueSets, leftOut } = made;
  const rules = Object.values(leftOut.notEvaluated).flat().length;
  return [
    `The facts of ${guide} ${version} are in ${file} (${bytes} bytes). Name the file in the configuration: guides: [${file}]`,
    `${profiles.length} profiles of resources, ${extensions.length} extensions`,
    ...listed('profile', profiles),
    `${valueSets.expanded.length} required value sets with every code, ${valueSets.bySystem.length} by code system only`,
    ...listed('by code system only', valueSets.bySystem),
    `Left out: ${leftOut.withoutSnapshot.length} profiles without a snapshot, ${leftOut.otherTypes.length} of resource types that are not checked, ` +
      `${leftOut.unresolved.length} reference targets that no package holds, ${rules} rules that are not evaluated`,
    ...listed('no snapshot', leftOut.withoutSnapshot),
    ...listed('not checked', leftOut.otherTypes),
    ...listed('any type let pass', leftOut.unresolved),
    ...Object.entries(leftOut.notEvaluated).flatMap(([profile, lines]) => listed(`not evaluated in ${profile}`, lines)),
  ];
}

function listed(what: string, names: readonly string[]): string[] {
  return names.map((name) => `  ${what}: ${name}`);
}
