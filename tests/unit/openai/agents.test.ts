import { describe, expect, test } from 'bun:test'
import pino from 'pino'
import { errorEvent } from '../../../src/answers/own-events.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { ERROR_CATALOGUE, type ErrorKind } from '../../../src/openai/error-catalogue.ts'
import { answerError } from '../../../src/server/error-handler.ts'
import { openExchange } from '../../../src/server/request-context.ts'
import { AGENTS, type SeenError, type Verdict } from '../../helpers/agents.ts'

/** Nobody is left to read it. */
const UNREAD: ReadonlySet<ErrorKind> = new Set(['client_closed'])
const KINDS = (Object.keys(ERROR_CATALOGUE) as ErrorKind[]).filter((kind) => !UNREAD.has(kind))
const AGAIN: ReadonlySet<string> = new Set(['server_error', 'rate_limit_error', 'requests'])

/** What may become of a stream that has begun. */
const IN_STREAMS: readonly ErrorKind[] = [
  'upstream_unreachable',
  'upstream_invalid_response',
  'upstream_timeout',
  'client_deadline',
  'extension_failed',
  'internal_error',
]

/** What a row is to make agents do: its type says whether waiting may cure it. */
const wanted = (kind: ErrorKind): Verdict => (AGAIN.has(ERROR_CATALOGUE[kind].type) ? 'again' : 'stop')

/** Agents that can't be told otherwise: by which the row's status, which is a protocol's, wins. */
const BY_STATUS_ALONE = ['ai-sdk 6 (Cline 3.0.65)', 'pi 1.6.0', 'opencode 1.18.33', 'Qwen Code 0.24.4', 'Codex 0.171.0']
const BY_409_OR_429 = ['ai-sdk 6 (Cline 3.0.65)', 'opencode 1.18.33']
const OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  // RFC 9111 §5.2.1.7 wants this 504.
  only_if_cached: BY_STATUS_ALONE,
  // It is no fault of the caller's, as a 4xx would be.
  upstream_key_refused: BY_STATUS_ALONE,
  // RFC 9110 §15.5.10; asked again, nothing is sent upstream, and SDKs read `x-should-retry`.
  idempotency_outcome_unknown: BY_409_OR_429,
  idempotency_answer_not_kept: BY_409_OR_429,
  // OpenAI's own status of it; SDKs read `x-should-retry`, and others the code.
  spend_limit_reached: BY_409_OR_429,
  // RFC 5842 §7.2 has this 508.
  loop_detected: BY_STATUS_ALONE.filter((name) => name !== 'pi 1.6.0'),
}
async function seen(kind: ErrorKind): Promise<SeenError> {
  const target = '/v1/chat/completions'
  const request = new Request(`http://localhost${target}`, { method: 'POST' })
  const exchange = openExchange(request, { target, isHttp10: false, abort: new AbortController(), body: undefined }, {})
  const response = answerError(new ApiError(kind), exchange, pino({ level: 'silent' }))
  const { error } = (await response.json()) as SeenError
  return { status: response.status, headers: Object.fromEntries(response.headers), error }
}

describe.each(AGENTS)('$name', ({ name, onAnswer, onEvent }) => {
  test.each(KINDS)('tries again where that may help, and else does not: %s', async (kind) => {
    const verdict = onAnswer(await seen(kind))
    if (verdict === undefined) return
    const isOtherwise = OTHERWISE[kind]?.includes(name) === true
    expect<unknown>([kind, verdict]).toEqual([kind, isOtherwise ? 'again' : wanted(kind)])
  })

  test('tries again behind the last event of a stream that broke off, or was silent for too long', () => {
    if (onEvent === undefined) return
    const causes = [new Error('ECONNRESET'), undefined, ...IN_STREAMS.map((kind) => new ApiError(kind))]
    for (const cause of causes) {
      const event = new TextDecoder().decode(errorEvent(new Uint8Array(), cause, { protocol: 'openai', id: 'req_1' }))
      const { error } = JSON.parse(event.slice('data: '.length)) as SeenError
      expect<unknown>([error.message, onEvent(error)]).toEqual([error.message, 'again'])
    }
  })
})
