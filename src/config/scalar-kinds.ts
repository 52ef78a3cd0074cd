import { nearest } from '../formats/text/nearest.ts'

/** A fault of a value: `wrong` ends a sentence that begins with the value's name, `cure` is a sentence. */
export interface Fault {
  readonly wrong: string
  readonly cure: string
}

/** A value, or its fault. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault }

/** A kind of variable: how its text becomes a value. */
export interface Kind<T> {
  /** One word for tables. */
  readonly label: string
  /** Reads a text that is trimmed and not empty. */
  readonly parse: (text: string) => Parsed<T>
  /** Whether a value must never be shown. */
  readonly isSecret?: boolean
}

/** The form of a value in a file, where it differs from a variable's. */
export interface FileForm<T> {
  /** Reads a text that is not empty; white space in front is left, so that lines can be counted. */
  readonly parse: (text: string) => Parsed<T>
  /** How to mend a file with nothing in it. */
  readonly emptyCure: string
}

/** A good value. */
export function right<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

/** A bad value: its fault and the cure. */
export function wrong(problem: string, cure: string): Parsed<never> {
  return { ok: false, fault: { wrong: problem, cure } }
}

/**
 * A value as it may be shown to a person: quoted, escaped, and hidden where it is long or looks like a key, since
 * people do paste a key into the line beside the right one.
 */
export function quoteText(text: string): string {
  const shownLengthMax = 32
  if (text.length > shownLengthMax || text.startsWith('sk-')) return 'the value'
  return /^[\x20-\x7e]*$/.test(text) ? `"${text}"` : JSON.stringify(text).replace(/[^\x20-\x7e]/g, '?')
}

/** The longest timer, in milliseconds; longer ones fire at once: a delay is a signed 32-bit number (HTML Standard, timers). */
export const TIMER_MS_MAX = 2 ** 31 - 1

/** Bytes of one MiB. */
export const MIB = 2 ** 20

const MS_BY_UNIT = new Map([
  ['', 1],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])

const BYTES_BY_UNIT = new Map([
  ['', 1],
  ['b', 1],
  // A bare letter counts in powers of two, as in nginx and Docker.
  ...['k', 'm', 'g'].flatMap((letter, index): [string, number][] => [
    [letter, 2 ** (10 * (index + 1))],
    [`${letter}ib`, 2 ** (10 * (index + 1))],
    [`${letter}b`, 1000 ** (index + 1)],
  ]),
])

const TRUE_WORDS = ['true', '1', 'yes', 'on']
const FALSE_WORDS = ['false', '0', 'no', 'off']

/** Yes or no, in the words that compose files and shells use. */
export const boolean: Kind<boolean> = {
  label: 'boolean',
  parse(text) {
    const word = text.toLowerCase()
    if (TRUE_WORDS.includes(word)) return right(true)
    if (FALSE_WORDS.includes(word)) return right(false)
    return wrong(
      `${quoteText(text)} is neither true nor false`,
      'Use true or false (or 1 and 0, yes and no, on and off).',
    )
  },
}

/** A whole number within bounds. */
export function integer(min: number, max: number): Kind<number> {
  return {
    label: 'integer',
    parse: (text) =>
      isDigits(text)
        ? within(text, Number(text), min, max)
        : wrong(`${quoteText(text)} is not a whole number`, `Use a number from ${min} to ${max}, in digits only.`),
  }
}

/** A length of time in milliseconds, where no unit says otherwise. */
export const durationKind: Kind<number> = {
  label: 'duration',
  parse: (text) =>
    scaled(text, MS_BY_UNIT, 0, TIMER_MS_MAX) ??
    wrong(`${quoteText(text)} is not a length of time`, 'Use milliseconds, or a whole number with ms, s, m or h.'),
}

/** A size in bytes, where no unit says otherwise. */
export const byteSize: Kind<number> = {
  label: 'size',
  parse: (text) =>
    scaled(text, BYTES_BY_UNIT, 1, Number.MAX_SAFE_INTEGER) ??
    wrong(
      `${quoteText(text)} is not a size`,
      'Use bytes, or a whole number with KiB, MiB, GiB, kB, MB, GB, k, m or g.',
    ),
}

/** One of some words, in any case. */
export function choice<const T extends string>(words: readonly T[]): Kind<T> {
  return {
    label: 'choice',
    parse(text) {
      const found = words.find((word) => word === text.toLowerCase())
      if (found !== undefined) return right(found)
      const meant = nearest(text, words)
      const cure = meant === undefined ? 'Use one of these words.' : `Did you mean ${meant}? Use one of these words.`
      return wrong(`${quoteText(text)} is not one of ${words.join(', ')}`, cure)
    },
  }
}

function scaled(
  text: string,
  factors: ReadonlyMap<string, number>,
  min: number,
  max: number,
): Parsed<number> | undefined {
  const digits = /^\d+/.exec(text)?.[0]
  const factor = digits === undefined ? undefined : factors.get(text.slice(digits.length).trim().toLowerCase())
  if (factor === undefined) return undefined
  return within(text, Number(digits) * factor, min, max)
}

function within(text: string, value: number, min: number, max: number): Parsed<number> {
  if (value >= min && value <= max) return right(value)
  return wrong(`${quoteText(text)} is out of range`, `Use a value from ${min} to ${max}.`)
}

/** Whether a text is a whole number, in digits only. */
export function isDigits(text: string): boolean {
  return /^\d+$/.test(text)
}
