// Source times to the microsecond, as PostgreSQL keeps them: JavaScript's own dates would make ties of what is none.

/** Microseconds since 1970 of an RFC 3339 instant with offset; further digits are cut off. */
export function microsOf(instant: string): number {
  const fraction = /\.(\d+)/.exec(instant)?.[1] ?? '';
  const whole = instant.replace(/\.\d+/, '');
  return Date.parse(whole) * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** The instant again, in UTC with six digits. */
export function timestampOf(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const rest = String(micros - seconds * 1_000_000).padStart(6, '0');
  return new Date(seconds * 1000).toISOString().replace('.000Z', `.${rest}Z`);
}
