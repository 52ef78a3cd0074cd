import type { ParamRule } from '../config/sections/params/param-rule.ts'
import { compilePatterns, type Fits } from '../formats/text/wildcards.ts'
import { endpointPath } from '../openai/endpoint-path.ts'

/** The facts that decide whether a rule matches a request, except the model. */
export interface FactsBeforeModel {
  /** Path below /v1/, without query: `chat/completions`. */
  readonly endpoint: string
  readonly principal: { readonly kind: string; readonly id: string | undefined }
  readonly headers: Headers
}

/** The criteria of one rule, ready to be asked. */
export interface RuleMatch {
  readonly fitsEndpoint: Fits
  readonly fitsPrincipal: (principal: FactsBeforeModel['principal']) => boolean
  readonly headers: readonly HeaderMatch[]
  /** A request without a model fits only a rule without criteria for the model. */
  readonly fitsModel: (model: string | undefined) => boolean
  readonly written: ParamRule['match']
}

/** A header in a rule's criteria. */
export interface HeaderMatch {
  readonly name: string
  /** An absent header fits no pattern, not even `*`. */
  readonly fits: (headers: Headers) => boolean
}

/** Prepares the criteria of a rule. */
export function compileMatch({ match }: ParamRule): RuleMatch {
  const fitsModel = compilePatterns(match.model ?? ['*'])
  const fitsPath = compilePatterns((match.endpoint ?? ['*']).map((pattern) => pattern.toLowerCase()))
  const fitsWho = compilePatterns(match.principal ?? ['*'])
  return {
    fitsEndpoint: (endpoint) => fitsPath(endpointPath(endpoint)),
    fitsPrincipal: ({ kind, id }) => fitsWho(kind) || (id !== undefined && fitsWho(id)),
    headers: Object.entries(match.header ?? {}).map(([name, pattern]) => {
      const fits = compilePatterns([pattern])
      return { name, fits: (headers) => fitsHeader(headers.get(name), fits) }
    }),
    fitsModel: (model) => (model === undefined ? match.model === undefined : fitsModel(model)),
    written: match,
  }
}

/** Whether a rule matches, as far as can be told without the model. */
export function fitsBeforeModel(match: RuleMatch, { endpoint, principal, headers }: FactsBeforeModel): boolean {
  return (
    match.fitsEndpoint(endpoint) && match.fitsPrincipal(principal) && match.headers.every(({ fits }) => fits(headers))
  )
}

/** Says which part of a request does not fit a rule; undefined: all parts fit. It never tells a header's value, which may be a secret. */
export function mismatchOf(
  match: RuleMatch,
  facts: FactsBeforeModel & { readonly model: string | undefined },
): string | undefined {
  const { endpoint, principal, headers, model } = facts
  const wanted = (patterns: readonly string[] | undefined): string => (patterns ?? []).join(', ')
  if (!match.fitsEndpoint(endpoint)) return `endpoint ${endpoint} does not fit ${wanted(match.written.endpoint)}`
  if (!match.fitsPrincipal(principal)) {
    return `principal ${principal.id ?? principal.kind} does not fit ${wanted(match.written.principal)}`
  }
  const unfit = match.headers.find(({ fits }) => !fits(headers))
  if (unfit !== undefined) {
    const { name } = unfit
    return headers.has(name)
      ? `header ${name} does not fit ${match.written.header?.[name]}`
      : `header ${name} is missing`
  }
  if (match.fitsModel(model)) return undefined
  const pattern = wanted(match.written.model)
  return model === undefined
    ? `no model is named, where ${pattern} is wanted`
    : `model ${model} does not fit ${pattern}`
}

function fitsHeader(value: string | null, fits: Fits): boolean {
  return value !== null && fits(value)
}
