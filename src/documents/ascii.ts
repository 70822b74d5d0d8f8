// Plain ASCII for servers whose notes hold nothing else: accents are taken off, letters with a usual spelling get it, the rest shows as `?`.
// No transliteration of whole scripts beyond Greek and Cyrillic: a wrong name is worse than a visible gap.

import { cleanLine } from './clean.ts';

export interface AsciiText {
  readonly text: string;
  /** Some letter is spelled otherwise than in the record. */
  readonly respelled: boolean;
  /** Some character could not be spelled and shows as `?`. */
  readonly lost: boolean;
}

export function toAscii(line: string): AsciiText {
  if (/^[ -~]*$/.test(line)) return { text: line, respelled: false, lost: false };
  let [text, respelled, lost] = ['', false, false];
  for (const character of cleanLine(line).normalize('NFC')) {
    if (/[ -~]/.test(character)) {
      text += character;
      continue;
    }
    const letter = /[\p{L}\p{M}]/u.test(character);
    const spelling = spell(character);
    text += spelling ?? '?';
    if (spelling === undefined) lost = true;
    else if (letter) respelled = true;
  }
  return { text, respelled, lost };
}

function spell(character: string): string | undefined {
  const own = spellings.get(character);
  if (own !== undefined) return own;
  if (/^[\p{M}\u200c\u200d]$/u.test(character)) return '';
  let text = '';
  for (const part of character.normalize('NFKD').replace(/\p{M}/gu, '')) {
    const spelling = /[ -~]/.test(part) ? part : spellings.get(part);
    if (spelling === undefined) return undefined;
    text += spelling;
  }
  return text;
}

// Pairs of character and spelling; upper case follows from lower case.
const letters =
  "ß ss æ ae œ oe ø o đ d ð d þ th ł l ı i ŋ ng ħ h ĸ k ŧ t ə e ɓ b ɗ d ƙ k ɔ o ɛ e ƴ y ʼ ' ʻ ' " +
  'а a б b в v г g ґ g д d е e ё yo є ye ж zh з z и y і i ї yi й y к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ shch ъ - ы y ь - э e ю yu я ya ' +
  'α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o';
const signs =
  '‘ \' ’ \' ‚ , ‛ \' “ " ” " „ " « " » " ‹ \' › \' ′ \' ″ " ‐ - ‑ - ‒ - – - — - ― - − - • * · - … ... ⁄ / × x ÷ / ± +/- ≤ <= ≥ >= ≠ != ≈ ~ ° deg € EUR £ GBP ¥ JPY ¢ c © (c) ® (R) § Sec. ¶ - ¡ ! ¿ ? µ u → -> ← <- ✓ yes ✗ no';

const spellings: ReadonlyMap<string, string> = new Map([
  ...pairs(letters),
  ...pairs(letters).map(([letter, spelling]): [string, string] => [letter.toUpperCase(), capital(spelling)]),
  ['ß', 'ss'],
  ['ẞ', 'SS'],
  ...pairs(signs),
]);

function pairs(table: string): [string, string][] {
  const words = table.split(' ');
  return words.flatMap((word, index): [string, string][] =>
    index % 2 === 0 ? [[word, (words[index + 1] ?? '').replace(/^-$/, hard(word))]] : [],
  );
}

// The hard and the soft sign have no sound of their own.
function hard(letter: string): string {
  return letter === 'ъ' || letter === 'ь' ? '' : '-';
}

function capital(spelling: string): string {
  return spelling.slice(0, 1).toUpperCase() + spelling.slice(1);
}
