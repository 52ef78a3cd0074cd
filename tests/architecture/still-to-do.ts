/** The bounds that something breaks today, by the test that looks. */
type Bound = 'functions' | 'lines' | 'imports' | 'names'

/**
 * What broke a bound when the bound came: paths below src/, or exported names. The list only gets shorter; an entry goes with what it names,
 * and this file with its last entry.
 */
const STILL_TO_DO: Readonly<Record<Bound, readonly string[]>> = {
  functions: [],
  lines: ['exchange/exchange.ts'],
  imports: [],
  names: [],
}

/** Whether it is known that this breaks a bound: `of` is a path below src/, or an exported name. */
export function isStillToDo(bound: Bound, of: string): boolean {
  return STILL_TO_DO[bound].includes(of)
}
