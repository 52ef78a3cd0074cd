import type { ReadLimits } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { causeOf } from '../exchange/outcome.ts'
import { GatheredBytes } from '../formats/bytes/gathered-bytes.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { batchInputs } from '../openai/batch-inputs.ts'
import type { TargetAnswer } from '../routing/attempts/ask.ts'
import { ownLimit, type TimeLimits } from '../routing/attempts/exchange-clocks.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import type { Route } from '../routing/targets/router.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { followAbort } from '../timing/follow-abort.ts'
import { checkInner } from './check-inner.ts'
import { judgeBatch } from './judge-batch.ts'
import { bodyAsIs, type OutgoingBody } from './outgoing-body.ts'

/** A request that may make a batch, and its route. */
export interface BatchRequest {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody
  readonly route: Route
  readonly snapshot: Snapshot
}

/** The limits by which a batch's file is read from its upstream. */
export interface BatchDeps {
  readonly reading: ReadLimits
  readonly deadlines: Deadlines
  readonly timeouts: TimeLimits
}

/** Asks the targets of a route for a file that a request names. */
export type AskForFile = (exchange: Exchange, outgoing: OutgoingBody, route: Route) => Promise<TargetAnswer>

const LF = 0x0a
/** The headers that are about the request's own body or answer, and not about the file. */
const NOT_FOR_THE_FILE = [
  ...['content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'idempotency-key', 'range'],
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-range'],
]

/**
 * Reads the files of a new batch from its upstream, and judges their lines by the rules and models in force: the files may have been
 * uploaded in another way, with another purpose, or under other rules. Gives the route to the upstream that has the files.
 *
 * Rejects with `rules_not_applicable` for a file that can't be read, a line that the rules would have to change, or a line of another
 * endpoint than the batch's. Also rejects with what the rules of a line throw.
 *
 * @example
 * const route = await checkBatch({ exchange, outgoing, route, snapshot }, ask, deps)
 */
export async function checkBatch(request: BatchRequest, ask: AskForFile, deps: BatchDeps): Promise<Route> {
  const { outgoing, snapshot } = request
  const text = outgoing.textFor(undefined)
  if (text === undefined || !isJsonObject(outgoing.value)) throw notReadable()
  const { files, endpoint } = batchInputs(text, outgoing.value)
  let { route } = request
  for (const id of files) {
    const deployment = await readFile(id, endpoint, { ...request, route }, ask, deps)
    route = { ...route, deployments: [deployment], order: () => [deployment] }
  }
  checkInner(outgoing.inner, route, snapshot)
  return route
}

/** Reads and judges one file, and gives the deployment that has it. */
async function readFile(
  id: string,
  endpoint: string | undefined,
  request: BatchRequest,
  ask: AskForFile,
  deps: BatchDeps,
): Promise<Deployment> {
  const { exchange, route } = request
  const { abort, stop } = followAbort(exchange.abort.signal)
  const child = childForFile(id, exchange, abort)
  child.atEnd(stop)
  try {
    const { answer, deployment } = await ask(child, bodyAsIs(null), route)
    const coding = answer.headers.get('content-encoding') ?? 'identity'
    if (!answer.ok || coding !== 'identity') throw notGiven(id, answer.status)
    await judgeLines(answer.body, endpoint, { ...request, route }, deployment, { child, deps })
    child.end({ kind: 'complete' })
    return deployment
  } catch (cause) {
    abort.abort(cause)
    child.end({ kind: 'failed', cause })
    throw cause
  } finally {
    child.report()
  }
}

function childForFile(id: string, exchange: Exchange, abort: AbortController): Exchange {
  const headers = new Headers(exchange.request.headers)
  for (const name of NOT_FOR_THE_FILE) headers.delete(name)
  headers.set('accept', '*/*')
  headers.set('accept-encoding', 'identity')
  const query = /\?.*$/s.exec(exchange.requestTarget)?.[0] ?? ''
  return exchange.child({
    request: new Request(exchange.request.url, { method: 'GET', headers }),
    requestTarget: `/v1/files/${encodeURIComponent(id)}/content${query}`,
    endpoint: undefined,
    body: undefined,
    json: undefined,
    abort,
  })
}

/** The reading of one file, in a child of the request's exchange. */
interface Reading {
  readonly child: Exchange
  readonly deps: BatchDeps
}

async function judgeLines(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  endpoint: string | undefined,
  request: BatchRequest,
  deployment: Deployment,
  { child, deps: { reading, deadlines, timeouts } }: Reading,
): Promise<void> {
  const { exchange, route, snapshot } = request
  const held = reading.memory.hold(child)
  const pending = new GatheredBytes()
  let line = 0
  const judge = async (bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
    const file = { bytes, start: 0, end: bytes.byteLength, isBatch: true, endpoint, lineBefore: line }
    const { edits, inner, receipt, lines } = await judgeBatch(file, exchange, snapshot)
    line += lines
    if (edits.length > 0) throw wouldChange(receipt)
    checkInner(inner, { ...route, deployments: [deployment] }, snapshot)
  }
  const idle = deadlines.start(ownLimit('streamIdleMs', route, deployment) ?? timeouts.streamIdleMs, () =>
    child.abort.abort(new ApiError('upstream_timeout')),
  )
  try {
    for await (const chunk of body ?? []) {
      idle.suspend()
      const end = chunk.lastIndexOf(LF) + 1
      if (end > 0) {
        held.release(pending.byteLength)
        pending.add(chunk.subarray(0, end))
        await judge(pending.join())
      }
      held.add(chunk.byteLength - end)
      pending.add(chunk.subarray(end))
      if (pending.byteLength > reading.bytesMax) throw lineTooLong(line + 1)
      idle.touch()
    }
    if (pending.byteLength > 0) await judge(pending.join())
  } catch (thrown) {
    if (thrown instanceof ApiError) throw thrown
    throw causeOf(child.abort.signal, new ApiError('upstream_unreachable', { cause: thrown }))
  } finally {
    idle.clear()
  }
}

function notReadable(): ApiError {
  return new ApiError('rules_not_applicable', {
    message: 'This server has rules for the calls in a batch, and takes what makes one as a JSON object only.',
  })
}

function notGiven(id: string, status: number): ApiError {
  return new ApiError('rules_not_applicable', {
    message: `This server has rules for the calls in a batch, and reads its file before it is made one. The upstream answered ${status} to GET /v1/files/${id.slice(0, 100)}/content. Name a file of the purpose 'batch' that it gives.`,
    param: 'input_file_id',
  })
}

function wouldChange(receipt: string): ApiError {
  return new ApiError('rules_not_applicable', {
    message: `This server's rules would have to change calls in the file of this batch (${receipt}), which they do when it is uploaded. Upload it here, with the purpose 'batch', and make the batch of that.`,
    param: 'input_file_id',
  })
}

function lineTooLong(line: number): ApiError {
  return new ApiError('request_too_large', {
    message: `Line ${line} of the batch's file is longer than a call may be here.`,
    param: 'input_file_id',
  })
}
