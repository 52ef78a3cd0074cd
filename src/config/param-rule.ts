import type { Json } from '../formats/json/json.ts'

/** What callers may set, and to what. */
export interface ParamRule {
  /** Where it stands in the file, from 1. */
  readonly number: number
  readonly match: {
    /** Patterns with `*`; any of them. undefined: every request, also one without a model. */
    readonly model: readonly string[] | undefined
    /** Patterns of paths below `/v1/`, such as `chat/completions` or `audio/*`; any of them. */
    readonly endpoint: readonly string[] | undefined
    /** Principals' kinds (`token`, `caller`, `local`) or names (`alice`, `token-3fa9c1d2`), with `*`; any of them. */
    readonly principal: readonly string[] | undefined
    /** Lower-case names, and patterns of their values with `*`; all of them. */
    readonly header: Readonly<Record<string, string>> | undefined
  }
  readonly defaults: Readonly<Record<string, Json>>
  readonly overrides: Readonly<Record<string, Json>>
  readonly clamp: Readonly<Record<string, { readonly min: number | undefined; readonly max: number | undefined }>>
  readonly drop: readonly string[]
  readonly rename: Readonly<Record<string, string>>
  readonly require: readonly string[]
  readonly deny: readonly string[]
  readonly allow: readonly string[] | undefined
  readonly values: Readonly<Record<string, readonly Json[]>>
  /** What becomes of a parameter that `deny`, `allow` or `values` does not admit. */
  readonly onViolation: 'refuse' | 'drop'
}
