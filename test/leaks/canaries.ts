// Canaries: invented values that stand nowhere else in the world, one for each place where a record holds a text. Where one is found,
// content of a record has got there. They are looked for as they are, in upper and lower case, escaped for JSON and for addresses, and in
// base64 however it lies between other bytes.

export interface Canary {
  readonly value: string;
  /** Where it was planted. */
  readonly place: string;
}

export interface Hit extends Canary {
  readonly form: string;
}

const mark = 'zq7';
const letters = 11;
/** How many letters the beginning of a form is, which each of them has. */
const beginning = 6;

export class Canaries {
  readonly #planted = new Map<string, Canary>();
  /** Forms to look for, by how they begin: a few thousand of them, so a text is gone through once for all. */
  readonly #literals = new Map<string, Map<string, Hit>>();
  /** The base64 of words, by its text. */
  readonly #encoded = new Map<string, Hit>();
  #count = 0;

  get size(): number {
    return this.#planted.size;
  }

  /** A word of 14 letters: `zq7` and eleven more. */
  word(place: string): string {
    const value = `${mark}${lettersOf(this.#next())}`;
    this.#plant(value, place);
    for (const form of base64Forms(value)) this.#encoded.set(form, { value, place, form: 'base64' });
    return value;
  }

  /** A telephone number of those that nobody has (555-01xx), as people write it. */
  phone(place: string): string {
    const n = this.#next();
    const [area, line] = [201 + Math.floor(n / 100), `01${String(n % 100).padStart(2, '0')}`];
    const value = `(${area}) 555-${line}`;
    const digits = `${area}555${line}`;
    this.#literal(value, place, [digits, `${area}-555-${line}`, `+1${digits}`]);
    return value;
  }

  /** The same for a field that wants +1 and ten digits. */
  e164(place: string): string {
    return `+1${this.phone(place).replace(/\D/g, '')}`;
  }

  /** A day long ago; of two, the one that was asked for later is later. */
  day(place: string): string {
    const value = new Date(Date.UTC(1951, 0, 1) + this.#next() * 86_400_000).toISOString().slice(0, 10);
    this.#literal(value, place, [value.replaceAll('-', '')]);
    return value;
  }

  /** A number of those that no social security office gives. */
  ssn(place: string): string {
    const n = String(this.#next()).padStart(4, '0');
    const value = `900-71-${n}`;
    this.#literal(value, place, [`90071${n}`]);
    return value;
  }

  /** A value that a simulated server has made, such as the id of a patient. */
  found(value: string, place: string): void {
    this.#literal(value, place, []);
  }

  /** Every canary that stands in the text, each once. */
  search(text: string): Hit[] {
    const hits = new Map<string, Hit>();
    const note = (hit: Hit | undefined): void => {
      if (hit !== undefined) hits.set(hit.value, hit);
    };
    for (const [word] of text.matchAll(words)) {
      const canary = this.#planted.get(word.toLowerCase());
      note(canary && { ...canary, form: word === canary.value ? 'plain' : 'in another case' });
    }
    for (const { start, length } of encodedStarts) {
      for (let at = text.indexOf(start); at !== -1; at = text.indexOf(start, at + 1))
        note(this.#encoded.get(text.slice(at, at + length)));
    }
    for (let at = 0; at + beginning <= text.length; at += 1) {
      const forms = this.#literals.get(text.slice(at, at + beginning));
      if (forms !== undefined) for (const [form, hit] of forms) if (text.startsWith(form, at)) note(hit);
    }
    return [...hits.values()];
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }

  #plant(value: string, place: string): void {
    this.#planted.set(value, { value, place });
  }

  #literal(value: string, place: string, others: readonly string[]): void {
    this.#plant(value, place);
    const lookFor = (text: string, form: string): void => {
      if (text.length < beginning) throw new Error(`${value} is too short to be looked for`);
      const start = text.slice(0, beginning);
      const alike = this.#literals.get(start) ?? new Map<string, Hit>();
      this.#literals.set(start, alike.set(text, { value, place, form }));
    };
    for (const form of [value, ...others]) {
      lookFor(form, form === value ? 'plain' : 'rewritten');
      lookFor(encodeURIComponent(form), 'in an address');
      for (const encoded of base64Forms(form)) lookFor(encoded, 'base64');
    }
  }
}

const words = new RegExp(`${mark}[a-z]{${letters}}`, 'gi');

/** Eleven letters for a number, different for each and alike for none. */
function lettersOf(n: number): string {
  let rest = n * 7_919_317 + 1_000_003;
  return Array.from({ length: letters }, (_, at) => {
    const letter = String.fromCharCode(97 + ((rest + at * 11) % 26));
    rest = Math.floor(rest / 26);
    return letter;
  }).join('');
}

/** How a text looks in base64 behind 0, 1 or 2 bytes of another one: what is the same whatever stands around it. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    const first = Math.ceil((before * 8) / 6);
    return bytes.toString('base64').slice(first, Math.floor((bytes.length * 8) / 6));
  });
}

/** Where the base64 of a word may begin: what its mark alone makes sure of. */
const encodedStarts = base64Forms(`${mark}${'a'.repeat(letters)}`).map((form, before) => ({
  start: base64Forms(mark)[before] ?? '',
  length: form.length,
}));
