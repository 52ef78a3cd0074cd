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
