import { constants, gunzipSync } from 'node:zlib'
import { openRawClient, parseResponse } from '../../helpers/raw-client.ts'
import { AT_ONCE_MS, within } from '../../helpers/within.ts'
import { inPool } from '../pool.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { canary, Digests, kindsIn, SERVERS } from './canaries.ts'
import { type EchoUpstream, startEchoUpstream } from './echo-upstream.ts'
import { startGateways, type Watched } from './gateways.ts'
import { judgeAnswer, judgeCassette, judgeLog } from './judge.ts'
import { startLeakyGateway } from './leaky-gateway.ts'
import { makeShot, type Shot } from './requests.ts'

const AT_ONCE = 32
const CASES = 10_000
const SHORT_CASES = 600
const REPORT_EVERY = 1000
/** Pages that anybody may see, and what is asked for with a token. */
const PAGES = ['/', '/docs', '/openapi.json', '/health', '/ready', '/metrics', '/v1/models'] as const

interface Case {
  readonly id: string
  readonly gateway: Watched
  readonly shot: Shot
}

interface Outcome {
  readonly failures: readonly HardeningFailure[]
  readonly forwarded: number
  readonly lines: number
  readonly cassettes: number
}

async function sendCase({ id, gateway, shot }: Case, upstream: EchoUpstream | undefined): Promise<HardeningFailure[]> {
  const client = await openRawClient(gateway.port)
  client.write(shot.bytes)
  if (!shot.isLeft)
    await within(
      AT_ONCE_MS,
      id,
      client.response().catch(() => undefined),
    )
  const text = readable(client.received())
  client.leave()
  const message = judgeAnswer(shot.number, text, upstream?.has(shot.number) === false, shot.isInside)
  return message === undefined ? [] : [{ id, message }]
}

/** All that was received, and its body as its reader makes it out: without framing and coding. */
function readable(received: Buffer): string {
  const { body } = parseResponse(received) ?? { body: Buffer.alloc(0) }
  const isGzip = body[0] === 0x1f && body[1] === 0x8b
  const plain = isGzip ? gunzipSync(body, { finishFlush: constants.Z_SYNC_FLUSH }) : body
  return Buffer.concat([received, Buffer.from('\n'), plain]).toString('latin1')
}

/** Sends all cases, and then looks through all that was let out. */
async function sendAll(
  cases: readonly Case[],
  gateways: readonly Watched[],
  upstream: EchoUpstream | undefined,
  report: HardeningRun['report'],
): Promise<Outcome> {
  const failures: HardeningFailure[] = []
  const digests = new Digests()
  for (const kind of SERVERS) digests.add(canary(kind))
  let done = 0
  await inPool(cases, AT_ONCE, async (one) => {
    for (const secret of one.shot.secrets) digests.add(secret)
    failures.push(...(await sendCase(one, upstream)))
    done += 1
    if (done % REPORT_EVERY === 0) report(`${done.toLocaleString('en')} of ${cases.length.toLocaleString('en')}`)
  })
  let [lines, cassettes] = [0, 0]
  for (const gateway of gateways) {
    failures.push(...(await pagesOf(gateway)))
    const log = await gateway.log()
    failures.push(...judgeLog(gateway.name, log, digests))
    lines += log.length
    const texts = await gateway.cassettes()
    failures.push(...texts.flatMap((text) => judgeCassette(gateway.name, text)))
    cassettes += texts.length
  }
  const forwarded = upstream === undefined ? 0 : cases.filter(({ shot }) => upstream.has(shot.number)).length
  return { failures, forwarded, lines, cassettes }
}

/** What the gateway's own pages and figures say of its secrets. */
async function pagesOf({ name, port }: Watched): Promise<HardeningFailure[]> {
  const found: HardeningFailure[] = []
  for (const page of PAGES) {
    const answer = await fetch(`http://127.0.0.1:${port}${page}`, {
      headers: { authorization: `Bearer ${canary('tok')}` },
    })
    const kinds = kindsIn(await answer.text(), SERVERS)
    if (kinds.length > 0) found.push({ id: `${name}${page}`, message: `a page has ${kinds.join(', ')}` })
  }
  return found
}

function casesFor(gateways: readonly Watched[], { seed, isShort, only }: HardeningRun): readonly Case[] {
  const numbers = Array.from({ length: isShort ? SHORT_CASES : CASES }, (_, at) => at + 1)
  const all = numbers.flatMap((number): Case[] => {
    const gateway = gateways[number % gateways.length]
    if (gateway === undefined) return []
    const id = `${gateway.name}/case-${number}`
    return only === undefined || only === id ? [{ id, gateway, shot: makeShot(number, seed, gateway.asker) }] : []
  })
  return all
}

async function run(options: HardeningRun): Promise<HardeningResult> {
  const echo = await startEchoUpstream()
  const gateways = await startGateways(echo.upstream.url)
  try {
    const cases = casesFor(gateways, options)
    const { failures, forwarded, lines, cassettes } = await sendAll(cases, gateways, echo, options.report)
    return {
      cases: cases.length,
      failures,
      figures: { found: failures.length, forwarded, 'log lines': lines, cassettes },
    }
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()))
    await echo.upstream.close()
  }
}

/** The stand-in logs, repeats and records what it must not: each has to be seen. */
async function prove(): Promise<void> {
  const leaky = await startLeakyGateway()
  try {
    const options = { seed: 1, isShort: true, only: undefined, report: () => undefined }
    const cases = casesFor([leaky], options).slice(0, 60)
    const { failures } = await sendAll(cases, [leaky], undefined, options.report)
    for (const [what, sign] of [
      ['a prompt in base64 in the log', /the log has .*pro/],
      ['a digest of a key in the log', /the log has a digest of/],
      ["the server's key in an answer", /was shown the server's own: srv/],
      ['a key in hexadecimal in a cassette', /a cassette has key/],
    ] as const) {
      if (!failures.some(({ message }) => sign.test(message))) throw new Error(`Not seen: ${what}.`)
    }
  } finally {
    await leaky.stop()
  }
}

/** Promise 4: requests with a canary in every place, and all that comes out of a gateway searched for them. */
export const suite: HardeningSuite = {
  number: 4,
  name: 'secrets',
  promise:
    'No secret and no prompt is in a log, an error of ours or a page, and no secret in a cassette, in whichever form',
  prove,
  run,
}
