import type { ErrorBody } from '../../openai/api-error.ts'

/** What would become of a request. */
export interface Explanation {
  /** The configuration file, or what there is instead of one. */
  readonly config: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly model: string | undefined
    readonly principal: string
    readonly body: string | undefined
  }
  /** In the order of the file. */
  readonly rules: readonly ExplainedRule[]
  /** Why it would be answered with an error of this server's. */
  readonly refusal: { readonly status: number; readonly error: ErrorBody['error'] } | undefined
  /** What this server would answer itself. */
  readonly ownAnswer: string | undefined
  readonly route: ExplainedRoute | undefined
  /** What else a reader had better know. */
  readonly notes: readonly string[]
}

/** What one rule has to do with a request. */
export interface ExplainedRule {
  /** From 1. */
  readonly rule: number
  /** `unreached`: it matches, but the request is refused before, or has no body. */
  readonly outcome: 'applies' | 'refuses' | 'does not match' | 'unreached'
  /** Why it does not match. */
  readonly mismatch: string | undefined
  readonly did: readonly { readonly operation: string; readonly param: string; readonly detail: string }[]
}

/** Where a request would go. */
export interface ExplainedRoute {
  /** What of the configuration decides. */
  readonly decidedBy: string
  /** How the first of several targets is chosen; undefined: there is one. */
  readonly choice: string | undefined
  /** All together. */
  readonly attempts: number
  readonly retryOn: readonly string[]
  readonly targets: readonly ExplainedTarget[]
}

/** What would be sent to a target. */
export interface ExplainedTarget {
  readonly target: string
  readonly method: string
  readonly url: string
  /** Which header carries whose key; never the key. */
  readonly key: string
  readonly body: string | undefined
  /** Whether that is another one than was received. */
  readonly isChanged: boolean
}
