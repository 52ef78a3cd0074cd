import type { Kind } from './kind.ts'

/** What a variable's number counts. */
export type EnvUnit = 'ms' | 'bytes' | 'bytes/s' | 'requests' | 'connections' | '%'

/** One environment variable. Help, documentation and errors are made from it. */
export interface EnvRow<T = unknown, D extends T | undefined = T | undefined> {
  readonly name: string
  readonly kind: Kind<T>
  /** The value where the variable is absent or empty. */
  readonly default: D
  /** Words for a default that is no fixed value. */
  readonly defaultNote?: string
  readonly unit?: EnvUnit
  /** One line. */
  readonly doc: string
  /** A good value. */
  readonly example: string
}

/** Makes a row whose default's type is known exactly. */
export function row<T, const D extends T | undefined>(definition: EnvRow<T, D>): EnvRow<T, D> {
  return definition
}
