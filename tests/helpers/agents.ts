/** An error as a client gets it. */
export interface SeenError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly error: { readonly message: string; readonly type: string; readonly code: string | null }
}

/** What an agent makes of an error: it tries again, or its run ends; undefined: nobody has seen it. */
export type Verdict = 'again' | 'stop' | undefined

/** How an agent decides, as its code does or as it was seen to. */
export interface Agent {
  /** With the version of which this is known. */
  readonly name: string
  /** Of the answer to a request. */
  readonly onAnswer: (seen: SeenError) => Verdict
  /** Of an event of a chat stream: it has neither status nor headers of its own. undefined: none is known. */
  readonly onEvent?: (error: SeenError['error']) => Verdict
}

const either = (isAgain: boolean): Verdict => (isAgain ? 'again' : 'stop')
const isTransient = (status: number): boolean => status === 408 || status === 409 || status === 429 || status >= 500

/** By words in the text of an error, of which the one of an answer has the status and the body (read in its code: retry patterns of pi-ai). */
const PI_FINAL = /insufficient_quota|quota exceeded|billing|out of budget|available balance/i
const PI_AGAIN = new RegExp(
  [
    'overloaded|rate.?limit|too many requests|service.?(?:is.?)?(?:temporarily.?)?unavailable',
    '(?<![a-z0-9])(?:429|500|502|503|504|520|524)(?![a-z0-9])',
    'server.?error|internal.?error|network.?error|connection.?(?:error|refused|lost|closed)',
    'timed? out|timeout|terminated|ended without|you can retry your request|please retry your request|try your request again',
  ].join('|'),
  'i',
)
const piVerdict = (text: string): Verdict => either(!PI_FINAL.test(text) && PI_AGAIN.test(text))

/** Read in the code of its binary: by status, else by words of the message or the body. */
const OPENCODE_AGAIN = [
  /429|500|502|503|504|524/,
  /rate limit|rate-limit|rate_limit|too many requests/i,
  /overloaded|service[ _-]unavailable|internal[ _]error|internal server error|server[ _-]error|provider[ _-]returned[ _-]error/i,
  /terminated|fetch failed|network[-_\s]error|connection (?:error|refused|lost)|socket connection was closed|socket hang up|econnreset/i,
  /^timeout$|\b(?:request|response|connection|network|stream|read) (?:timeout|timed out|time out)\b/i,
  /try your request again|retry your request|resource[ _]exhausted/i,
  /\btry again (?:later|in\b)|\b(?:currently|temporarily) at capacity\b/i,
]

/** Read in its code: types and codes that are final where no status tells. */
const QWEN_FINAL =
  /^(?:content[_-]?filter|invalid[_-]?api[_-]?key|insufficient[_-]?quota|invalid[_-]?request[_-]?error|authentication[_-]?error|permission[_-]?error|not[_-]?found[_-]?error|billing[_-]?error|context[_-]?length[_-]?exceeded|request[_-]?too[_-]?large)$/i

/** The official SDKs, and all that stands on them: Continue 1.5.47, aider 0.86.2, gptme 0.35.1 (read in openai-node 6.49.0, openai-python 3.57.0). */
const SDK: Agent = {
  name: 'the SDKs',
  onAnswer({ status, headers }) {
    const told = headers['x-should-retry']
    return either(told === undefined ? isTransient(status) : told === 'true')
  },
}

export const AGENTS: readonly Agent[] = [
  SDK,
  {
    name: 'ai-sdk 6 (Cline 3.0.65)',
    onAnswer: ({ status }) => either(isTransient(status)),
  },
  {
    name: 'pi 1.6.0',
    onAnswer: ({ status, error }) => piVerdict(`${status} ${JSON.stringify({ error })}`),
    onEvent: ({ message }) => piVerdict(message),
  },
  {
    name: 'opencode 1.18.33',
    onAnswer({ status, error }) {
      // What is too large makes it shorten the conversation, and ask again.
      if (status === 413) return undefined
      const text = JSON.stringify({ error })
      return either(isTransient(status) || OPENCODE_AGAIN.some((pattern) => pattern.test(text)))
    },
  },
  {
    name: 'Qwen Code 0.24.4',
    // The 408 it leaves to the SDK inside.
    onAnswer: (seen) => either(seen.status >= 500 || SDK.onAnswer(seen) === 'again'),
    // It knows an event of ours by the request id in the answer's headers, and asks again unless type or code are final.
    onEvent: ({ type, code }) => either(!QWEN_FINAL.test(type) && !QWEN_FINAL.test(code ?? '')),
  },
  {
    name: 'Codex 0.171.0',
    // As seen: a 429 without Retry-After ends the run, a 401 and a 404 with a code of its own do not at once.
    onAnswer({ status, headers }) {
      if (status === 429) return either(headers['retry-after'] !== undefined)
      if (status >= 500) return 'again'
      return status === 400 ? 'stop' : undefined
    },
  },
  {
    name: 'Copilot 1.0.102',
    // As seen: a 401 is tried three times.
    onAnswer: (seen) => (seen.status === 401 ? undefined : SDK.onAnswer(seen)),
  },
]
