/** An answer to a request that may be bad. */
export interface Answer {
  readonly method: string
  /** The path of its request, with the query or without. */
  readonly target: string
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** What is wrong with an answer, by the figure that it counts for. */
export interface BadAnswer {
  readonly fault: '5xx' | 'out of shape'
  readonly message: string
}

/** Judges an answer: never a 5xx, and each error in OpenAI’s shape, or Anthropic’s at its own paths; undefined: nothing is wrong. */
export function judgeAnswer({ method, target, status, contentType, body }: Answer): BadAnswer | undefined {
  if (status >= 500) return { fault: '5xx', message: `${status}: ${body.slice(0, 300)}` }
  if (status < 400 || method === 'HEAD') return undefined
  const odd = oddShape(body, ANTHROPIC.test(target))
  if (odd === undefined && /^application\/json\b/.test(contentType)) return undefined
  return { fault: 'out of shape', message: `${status}, ${odd ?? contentType}: ${body.slice(0, 300)}` }
}

const ANTHROPIC = /^\/v1\/messages(?:[/?]|$)/

/**
 * Says what of an error is not as OpenAI has it: all four keys, a message, a type, and texts or null for the others. Anthropic's have a type around
 * them, and neither param nor code; the simulated server behind the gateway has OpenAI's there, too.
 */
function oddShape(body: string, isAnthropic: boolean): string | undefined {
  const parsed = parse(body)
  const { error, type: around } = isObject(parsed) ? parsed : {}
  if (!isObject(error)) return 'it has no error'
  const { message, type, param, code } = error
  if (typeof message !== 'string' || message === '') return 'its message is none'
  if (typeof type !== 'string' || type === '') return 'its type is none'
  if (isAnthropic && around === 'error') return undefined
  if (param !== null && typeof param !== 'string') return 'its param is neither a text nor null'
  return code === null || typeof code === 'string' ? undefined : 'its code is neither a text nor null'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
