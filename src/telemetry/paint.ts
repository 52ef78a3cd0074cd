/** Gives the parts of a line their colours, or leaves them as they are. */
export interface Paint {
  readonly dim: (text: string) => string
  readonly who: (text: string) => string
  readonly warn: (text: string) => string
  readonly level: (level: string, text: string) => string
  readonly status: (status: number, text: string) => string
}

/** Codes of ECMA-48 (SGR) that every terminal knows. */
const RED = 31
const GREEN = 32
const YELLOW = 33
const CYAN = 36
const DIM = 2

const LEVEL_COLORS: ReadonlyMap<string, number> = new Map([
  ['WARN', YELLOW],
  ['ERROR', RED],
  ['FATAL', RED],
  ['INFO', GREEN],
])

/**
 * Makes a paint; without colour, every text stays as it is.
 *
 * @example
 * createPaint(true).warn('left by the client')
 */
export function createPaint(hasColor: boolean): Paint {
  const paint = (code: number, text: string): string => (hasColor ? `\u001B[${code}m${text}\u001B[0m` : text)
  return {
    dim: (text) => paint(DIM, text),
    who: (text) => paint(CYAN, text),
    warn: (text) => paint(YELLOW, text),
    level: (level, text) => paint(LEVEL_COLORS.get(level) ?? DIM, text),
    status: (status, text) => paint(status >= 500 ? RED : status >= 400 ? YELLOW : GREEN, text),
  }
}

/** The facts that decide whether there are colours. */
export interface ColorFacts {
  readonly isTerminal: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Whether output has colours. `FORCE_COLOR` decides (`0` or `false`: no colours), else `NO_COLOR` (no colours,
 * https://no-color.org), else whether it is a terminal that has some.
 *
 * @example
 * const hasColor = wantsColor({ isTerminal: process.stdout.isTTY === true, env: process.env })
 */
export function wantsColor({ isTerminal, env }: ColorFacts): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: term } = env
  if (forced !== undefined && forced !== '') return forced !== '0' && forced.toLowerCase() !== 'false'
  if (refused !== undefined && refused !== '') return false
  return isTerminal && term !== 'dumb'
}
