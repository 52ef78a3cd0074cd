import { isJsonWithin, SHORT_BYTES_MAX, wrongKindOf } from '../../answers/answer-kind.ts'
import { noteBody } from '../../answers/body-note.ts'
import type { RetryCause } from '../../config/sections/retry.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import { ApiError } from '../../openai/api-error.ts'
import { endpointOf } from '../../openai/endpoint-of.ts'
import { isCallers, statusOfError } from '../../openai/error-status.ts'
import { keyRefusalOf, maySpeakOfKey } from '../../openai/key-refusal.ts'
import type { Attempt, AttemptDeps } from './attempt.ts'
import { HeldAnswer, type ReadingLimits, readBeginning } from './held-answer.ts'
import { type BeginningJudge, type BeginningVerdict, judgeOf } from './judge-beginning.ts'

/** The verdict on an upstream's answer. */
export interface AnswerVerdict {
  /** The answer as it came; undefined: it is not to be handed on, and `error` says why. */
  readonly answer: Response | undefined
  readonly error: ApiError | undefined
  /** Why the answer counts as failed; undefined: it does not. */
  readonly cause: RetryCause | 'key_refused' | undefined
  /** The upstream has said that it made nothing of the request: asking another target can't bill twice. */
  readonly isUnbilled: boolean
  /** The verdict of the answer on the server's key; undefined: none. */
  readonly key: 'refused' | 'spent' | undefined
  /** The word for the log, where the status is not enough. */
  readonly why: string | undefined
}

/** The limits on reading an error. Beyond them only its status counts. */
const ERROR_MS = 2000
const ERROR_BYTES_MAX = 64 * 1024
/** The longest time that a stream which begins with comments, or a JSON answer in pieces, is held back. */
const HELD_MS = 1000
/** How long before its deadline a client that waits for the head gets it. */
const HEAD_START_MS = 100

/**
 * Judges an answer before it is handed on: by its head, and where that is not enough by its beginning, which stays part of it. The
 * body of an error that may concern the server's key is read, and the beginning of a good answer where another target could be
 * asked instead.
 */
export function judgeAnswer(
  attempt: Attempt,
  answer: Response,
  deps: AttemptDeps,
): AnswerVerdict | Promise<AnswerVerdict> {
  const { exchange, call, heldUntil } = attempt
  if (wrongKindOf(exchange, answer) !== undefined) {
    return { answer, error: undefined, cause: 'invalid', isUnbilled: false, key: undefined, why: 'invalid' }
  }
  const { status } = answer
  if (call.spentKey !== undefined && maySpeakOfKey(status)) return judgeError(attempt, answer, deps)
  // A short answer is complete before any of it goes on in any case.
  const until = heldUntil ?? (isJsonWithin(answer.headers, SHORT_BYTES_MAX) ? Number.POSITIVE_INFINITY : undefined)
  if (status < 300 && until !== undefined) return judgeGood(attempt, answer, until, deps)
  return asItCame(answer)
}

function asItCame(answer: Response): AnswerVerdict {
  const cause = answer.status >= 400 ? answer.status : undefined
  return { answer, error: undefined, cause, isUnbilled: false, key: undefined, why: undefined }
}

async function judgeError({ call }: Attempt, answer: Response, deps: AttemptDeps): Promise<AnswerVerdict> {
  const { abort, account } = call
  const { answer: read, value } = await readError(answer, abort, deps)
  const key = keyRefusalOf(answer.status, value, { namesAccount: account === 'caller' })
  if (key === 'refused') {
    void ignoreRejection(read.body?.cancel())
    return keyRefused(`the upstream answered ${answer.status}`)
  }
  return { ...asItCame(read), isUnbilled: key === 'spent', key, why: key === 'spent' ? 'key_spent' : undefined }
}

function keyRefused(cause: string): AnswerVerdict {
  const error = new ApiError('upstream_key_refused', { cause })
  return { answer: undefined, error, cause: 'key_refused', isUnbilled: true, key: 'refused', why: 'key_refused' }
}

/**
 * Reads the body of an error, where it is short and JSON, and gives the answer as it came.
 *
 * `value`: the parsed body; undefined: it is something else, or did not come in time.
 *
 * @example
 * const { answer, value } = await readError(refusal, abort, deps)
 */
export async function readError(
  answer: Response,
  abort: AbortController,
  { deadlines }: Pick<AttemptDeps, 'deadlines'>,
): Promise<{ readonly answer: Response; readonly value: unknown }> {
  const held = new HeldAnswer(answer)
  const decoder = new TextDecoder()
  let text = ''
  const add = (bytes: Uint8Array): true | undefined => {
    text += decoder.decode(bytes, { stream: true })
    return text.length > ERROR_BYTES_MAX ? true : undefined
  }
  const limits = { sinceFirstByteMs: 0, totalMs: ERROR_MS, idleMs: 0, abort }
  const reading = await readBeginning(held, add, limits, deadlines).catch((cause: unknown) => {
    if (abort.signal.aborted) throw cause
    return 'broken'
  })
  const value = reading === 'end' && held.isReadable ? jsonOf(text) : undefined
  return { answer: held.release(true), value }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

async function judgeGood(
  attempt: Attempt,
  answer: Response,
  heldUntil: number,
  deps: AttemptDeps,
): Promise<AnswerVerdict> {
  const { exchange, call } = attempt
  const judge = judgeOf(exchange.request.method, endpointOf(exchange.requestTarget), answer)
  if (judge === undefined) return asItCame(answer)
  if (judge.isWhole && attempt.heldUntil === undefined && !answer.headers.has('content-encoding'))
    return judgeShort(attempt, answer, judge, deps)
  const held = new HeldAnswer(answer)
  const leftMs = heldUntil - deps.now() - HEAD_START_MS
  const totalMs = Number.isFinite(leftMs) ? Math.max(1, leftMs) : 0
  const { abort, streamIdleMs: idleMs } = call
  const verdict = await readVerdict(held, judge, { sinceFirstByteMs: HELD_MS, totalMs, idleMs, abort }, deps)
  return actOn(verdict, call, held, judge.isWhole)
}

/** Judges a short JSON answer whose end is waited for in any case: it is read at once, as it would be to be handed on. */
async function judgeShort(
  { call }: Attempt,
  answer: Response,
  judge: BeginningJudge,
  { deadlines }: AttemptDeps,
): Promise<AnswerVerdict> {
  const { abort, streamIdleMs } = call
  const idle = deadlines.start(streamIdleMs, () => abort.abort(new ApiError('upstream_timeout')))
  try {
    const whole = new Uint8Array(await answer.arrayBuffer())
    const read = noteBody(new Response(whole, answer), { whole })
    return actOn(judge.add(whole) ?? judge.end(), call, { release: () => read, discard: () => undefined }, true)
  } catch (cause) {
    if (abort.signal.aborted) throw cause
    // The upstream may have made something of the request: the caller sees its answer break off.
    return asItCame(new Response(new ReadableStream({ start: (body) => body.error(cause) }), answer))
  } finally {
    idle.clear()
  }
}

/** What becomes of an answer by the verdict on its beginning. */
function actOn(
  verdict: BeginningVerdict | undefined,
  call: Attempt['call'],
  held: Pick<HeldAnswer, 'release' | 'discard'>,
  isWhole: boolean,
): AnswerVerdict {
  if (verdict === undefined || verdict.kind === 'answer') return asItCame(held.release(isWhole))
  if (verdict.kind === 'empty') {
    const error = new ApiError('upstream_invalid_response', { cause: 'an event stream without an event' })
    return { answer: undefined, error, cause: 'invalid', isUnbilled: true, key: undefined, why: 'no_event' }
  }
  const status = statusOfError(verdict.value)
  const isKeys = call.spentKey !== undefined && status !== undefined
  const key = isKeys ? keyRefusalOf(status, verdict.value, { namesAccount: call.account === 'caller' }) : undefined
  if (key === 'refused') {
    held.discard()
    return keyRefused(`the upstream's answer began with an error of status ${status}`)
  }
  const released = held.release(isWhole)
  if (isCallers(status)) return { ...asItCame(released), why: 'error_inside' }
  return { answer: released, error: undefined, cause: status ?? 'invalid', isUnbilled: true, key, why: 'error_inside' }
}

/** Judges the beginning of an answer; undefined: it can't be judged in time. */
async function readVerdict(
  held: HeldAnswer,
  judge: BeginningJudge,
  limits: ReadingLimits,
  { deadlines }: AttemptDeps,
): Promise<BeginningVerdict | undefined> {
  try {
    const reading = await readBeginning(held, (bytes) => judge.add(bytes), limits, deadlines)
    if (reading === 'late' || !held.isReadable) return undefined
    return reading === 'end' ? judge.end() : reading.told
  } catch (cause) {
    if (limits.abort.signal.aborted) throw cause
    // The upstream may have made something of the request: whoever gets the bytes that have come sees the answer break off.
    return undefined
  }
}
