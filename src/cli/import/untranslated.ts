/** A part of a source that the result does not have. */
export interface Untranslated {
  /** Where it stands in the source, such as `router_settings.redis_host`. */
  readonly path: string
  /** Why, and what to do instead; never a value that may be secret. */
  readonly why: string
}

/** Why a part has no place that nobody will miss: it is off, or says what holds anyway. */
export const UNNEEDED = Symbol('unneeded')

/** Puts a part of the source on the list. */
export type Note = (path: string, why: string | typeof UNNEEDED) => void

/** The path of a member: `a.b`, or `a["gpt-4.1"]` where the key is no plain word. */
export function memberPath(parent: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${parent}[${JSON.stringify(key)}]`
  return parent === '' ? key : `${parent}.${key}`
}
