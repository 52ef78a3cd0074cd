import { type IdNames, type Nesting, OUTSIDE_STRINGS, type ScanWindow, STRAY } from './nesting.ts'
import { scanByVectors } from './nesting-vectors.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** Makes a brace of a bracket, and leaves a brace as it is. */
const BRACE_BIT = 0x20
const COLON = 0x3a
const IS_OUTSIDE = new Uint8Array(256)
for (const character of OUTSIDE_STRINGS) IS_OUTSIDE[character.charCodeAt(0)] = 1

let scanWindow: ScanWindow | undefined

/**
 * Scans a window of a nested value: of at most `SCANNED_BYTES_MAX`, and of whole blocks, unless the text ends there. Gives the place behind
 * the bracket at which the depth becomes 0; -1: the value goes on, and `nesting` is that at the end of the window; -2: a byte stands outside
 * of strings that JSON has in strings only: a reader that takes comments, or names without quotes, may see other strings. The order of the
 * other bytes does not matter.
 *
 * The colons behind names that may be those of ids are added to `idNames`, and maybe a few behind the value's end.
 *
 * @example
 * const end = scanNesting(bytes.subarray(at, at + SCANNED_BYTES_MAX), nesting)
 */
export function scanNesting(window: Uint8Array, nesting: Nesting, idNames?: IdNames): number {
  // It is made when the first long body comes: most processes on small machines never see one.
  scanWindow ??= scanByVectors() ?? scanByBytes
  return scanWindow(window, nesting, idNames)
}

/** Does what `scanNesting` does where the processor has no instructions on 16 bytes at a time: five times as slow. */
export function scanByBytes(window: Uint8Array, nesting: Nesting, idNames?: IdNames): number {
  let { depth, isInString, isEscaped } = nesting
  for (let at = 0; at < window.length; at += 1) {
    const byte = window[at] ?? 0
    const wasEscaped = isEscaped
    isEscaped = !wasEscaped && byte === BACKSLASH
    if (byte === QUOTE) isInString = isInString === wasEscaped
    else if (isInString) continue
    else if (IS_OUTSIDE[byte] !== 1) return STRAY
    else if (byte === COLON) idNames?.colons.push(idNames.base + at)
    else if ((byte | BRACE_BIT) === OPEN_BRACE) depth += 1
    else if ((byte | BRACE_BIT) === CLOSE_BRACE) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  nesting.depth = depth
  nesting.isInString = isInString
  nesting.isEscaped = isEscaped
  return -1
}
