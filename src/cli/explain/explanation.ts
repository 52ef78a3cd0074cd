import type { ErrorBody } from '../../openai/api-error.ts'

/** The explanation of a request. */
export interface Explanation {
  /** The configuration file, or that there is none. */
  readonly config: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly model: string | undefined
    readonly principal: string
    readonly body: string | undefined
  }
  /** The rules in the order of the file. */
  readonly rules: readonly ExplainedRule[]
  /** The error with which this server would refuse the request. */
  readonly refusal: { readonly status: number; readonly error: ErrorBody['error'] } | undefined
  /** The answer that this server would give itself. */
  readonly ownAnswer: string | undefined
  readonly route: ExplainedRoute | undefined
  /** More that a reader should know. */
  readonly notes: readonly string[]
}

/** One rule's part in a request. */
export interface ExplainedRule {
  /** The number of the rule, from 1. */
  readonly rule: number
  /** `unreached`: the rule matches, but the request is refused before, or has no body. */
  readonly outcome: 'applies' | 'refuses' | 'does not match' | 'unreached'
  /** The reason why it does not match. */
  readonly mismatch: string | undefined
  readonly did: readonly { readonly operation: string; readonly param: string; readonly detail: string }[]
}

/** The route that a request would take. */
export interface ExplainedRoute {
  /** The setting that decides. */
  readonly decidedBy: string
  /** How the first of several targets is chosen; undefined: there is only one. */
  readonly choice: string | undefined
  /** The number of attempts at all targets together. */
  readonly attempts: number
  readonly retryOn: readonly string[]
  readonly targets: readonly ExplainedTarget[]
}

/** The request that would be sent to a target. */
export interface ExplainedTarget {
  readonly target: string
  readonly method: string
  readonly url: string
  /** The header and the owner of the key; never the key. */
  readonly key: string
  readonly body: string | undefined
  /** Whether that differs from the received body. */
  readonly isChanged: boolean
}
