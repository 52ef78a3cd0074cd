/** Where a scan of a nested value stands. */
export interface Nesting {
  /** The number of open lists and objects. */
  depth: number
  isInString: boolean
  /** Whether the last byte was a backslash that escapes the next one. */
  isEscaped: boolean
}

/** The result for a byte outside of strings that JSON does not have there. */
export const STRAY = -2
/** The bytes that JSON has outside of strings: white space, quotes, brackets, and those of numbers and words. */
export const OUTSIDE_STRINGS = '\t\n\r "+,-.0123456789:E[]aeflnrstu{}'

/** The places of the colons behind names that may be those of objects' ids (`mayNameObject`), and behind some other names. */
export interface IdNames {
  /** The place of the window in the whole text. */
  base: number
  readonly colons: number[]
}

/** Scans a window of a nested value, as `scanNesting` says. */
export type ScanWindow = (window: Uint8Array, nesting: Nesting, idNames?: IdNames) => number
