import type { Exchange } from '../exchange/exchange.ts'
import type { Edit } from '../formats/json/edit.ts'
import { foldName } from '../formats/json/fold-name.ts'
import type { JsonObject } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath, isPlainPath } from '../openai/endpoint-path.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import { modelOf } from '../params/default-model.ts'
import { sentTwice } from '../params/refusals.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { Slice } from '../timing/slices.ts'
import { callIn, hidesCall, type LineCall } from './batch-line.ts'
import { assertUnchanged, judgeInner } from './judge-inner.ts'
import { assertCallNames, assertOneModel } from './one-model.ts'
import { assertNothingHidden } from './one-reading.ts'
import { factsOf } from './request-facts.ts'

/** A file that may hold the calls of a batch, one in each line. */
export interface BatchFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly start: number
  readonly end: number
  /** Whether the file is uploaded for a batch, so that each line has to be a call. Else the first line that is no call ends the search. */
  readonly isBatch: boolean
  /** The endpoint of all calls, also of a line without a `url`; undefined: each line names its own. */
  readonly endpoint?: string | undefined
  /** The number of lines before these. */
  readonly lineBefore?: number
}

/** The outcome of the judging of a batch's file. */
export interface JudgedBatch {
  /** The edits of the bytes that the file is in. */
  readonly edits: readonly Edit[]
  /** The models that the calls name, each once. */
  readonly inner: readonly InnerModel[]
  /** The changes of the first call that is changed, as `x-nexcode-params` gives them. */
  readonly receipt: string
  /** The number of lines. */
  readonly lines: number
}

const LF = 0x0a
const BRACE = 0x7b
const ENDPOINT_CHARS_MAX = 60

/**
 * Judges the calls in a batch's file (OpenAI specification, `RequestInput`: `{"custom_id", "method", "url", "body"}`). The rules for the
 * endpoint and model of a call change it as they would change a request.
 *
 * The event loop is free between slices of the file. Rejects with `rules_not_applicable`, or with what the rules of a line throw; the
 * error names the line.
 *
 * @example
 * const { edits } = await judgeBatch(file, exchange, snapshot)
 */
export async function judgeBatch(
  { bytes, start, end, isBatch, endpoint, lineBefore = 0 }: BatchFile,
  exchange: Exchange,
  snapshot: Snapshot,
): Promise<JudgedBatch> {
  const edits: Edit[] = []
  const models = new Map<string, InnerModel>()
  const slice = new Slice()
  let receipt = ''
  let number = lineBefore
  for (let at = start; at < end; number += 1) {
    const found = bytes.indexOf(LF, at)
    const lineEnd = found === -1 || found > end ? end : found
    const line = bytes.subarray(at, lineEnd)
    if (!isBlank(line)) {
      const call = await callIn(line)
      if (call !== undefined && (await hidesCall(line))) inLine(number + 1, refuseLine)
      if (call === undefined) {
        if (!isBatch) break
        // A reader that splits lines elsewhere, or reads another charset, may find a call in this line.
        if (line.includes(BRACE)) inLine(number + 1, refuseLine)
        at = lineEnd + 1
        continue
      }
      const judged = inLine(number + 1, () => judgeCall(call, endpoint, exchange, snapshot))
      for (const edit of judged.edits) edits.push({ ...edit, start: edit.start + at, end: edit.end + at })
      for (const one of judged.inner) if (!models.has(one.model)) models.set(one.model, inLineParam(number + 1, one))
      receipt ||= judged.receipt
    }
    at = lineEnd + 1
    if (slice.isOver()) await slice.rest()
  }
  return { edits, inner: [...models.values()], receipt, lines: number - lineBefore }
}

function judgeCall(
  call: LineCall,
  batchEndpoint: string | undefined,
  exchange: Exchange,
  snapshot: Snapshot,
): Omit<JudgedBatch, 'lines'> {
  const { line, body: json, offset, url } = call
  const names = line.members.map(({ key }) => foldName(key))
  for (const name of ['body', 'url']) if (names.indexOf(name) !== names.lastIndexOf(name)) throw sentTwice([name])
  const path = url ?? batchEndpoint
  const endpoint = path === undefined ? undefined : endpointOf(path)
  if (batchEndpoint !== undefined && endpointOf(batchEndpoint) !== endpoint) throw otherEndpoint(batchEndpoint)
  if (endpoint === undefined || !isPlainPath(endpoint)) throw notACall()
  const value = json.value as JsonObject
  const model = modelOf(value)
  assertOneModel(json)
  assertCallNames(model, endpointPath(endpoint), snapshot)
  if (model !== undefined) snapshot.assertSpelling?.(model)
  assertNothingHidden(json, value)
  const program = snapshot.rules.match(factsOf(exchange, model, endpoint))
  const applied = program?.apply(json)
  if (applied !== undefined) program?.judgeInner?.(applied.value)
  const checkOwn = (other: NonNullable<typeof program>, param: string): void => assertUnchanged(other, json, param)
  const inner = judgeInner({ exchange, snapshot, value, program, checkOwn })
  const edits = (applied?.edits ?? []).map(({ start, end, text }) => ({
    start: start + offset,
    end: end + offset,
    text,
  }))
  const own = model === undefined ? [] : [{ model, param: 'model' }]
  return { edits, inner: [...own, ...inner], receipt: applied?.receipt ?? '' }
}

/** Calls `judge`, and names the line in an error that it throws. */
function inLine<T>(number: number, judge: () => T): T {
  try {
    return judge()
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown
    const { message, param, code } = thrown.body.error
    const where = { message: `Line ${number} of the file: ${message}`, param: `line ${number}: ${param ?? 'body'}` }
    throw new ApiError(thrown.kind, { ...where, code, rule: thrown.rule, cause: thrown.cause })
  }
}

function inLineParam(number: number, { model, param }: InnerModel): InnerModel {
  return { model, param: `line ${number}: body.${param}` }
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

function refuseLine(): never {
  throw notACall()
}

function otherEndpoint(endpoint: string): ApiError {
  return new ApiError('rules_not_applicable', {
    message: `this call is of another endpoint than its batch, which is of '${endpoint.slice(0, ENDPOINT_CHARS_MAX)}'.`,
    param: 'url',
  })
}

function notACall(): ApiError {
  return new ApiError('rules_not_applicable', {
    message:
      'this server has rules for the calls in a batch, and cannot read this one. Write each call in one line of JSON in UTF-8, with "url" and "body", such as {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {…}}.',
  })
}
