import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import {
  FAULTS,
  type Fault,
  type FaultyCall,
  failoverFile,
  MODES,
  type Mode,
  planCalls,
  SDKS,
  type Sdk,
} from '../helpers/failover-calls.ts'
import {
  type CallLog,
  expectationOf,
  hasMetFault,
  hasWellTarget,
  type LoggedExchange,
  RETRIED,
  type UserOutcome,
  violationsOf,
} from '../helpers/failover-rules.ts'
import { type Arrival, type FaultyUpstreams, startFaultyUpstreams } from '../helpers/faulty-upstreams.ts'
import { preparePython } from '../helpers/python.ts'
import { callWithNode, callWithPython } from '../helpers/sdk-users.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

/** For each SDK, fault and way, streamed or not. */
const CALLS: Readonly<Record<Mode, number>> = { default: 200, widened: 50 }
/** Of each SDK at once: most of them only wait, since an SDK's own back-off is 0.5 and 1 s. */
const IN_FLIGHT = 64

const python = await preparePython()
if ('missing' in python) process.stderr.write(`(skip) failover with the Python SDK: ${python.missing}\n`)

const calls = [...planCalls('default', CALLS.default), ...planCalls('widened', CALLS.widened)]
const logs = new Map<string, CallLog>()
let upstreams: FaultyUpstreams
let file: ConfigFile
let gateway: TestGateway

beforeAll(async () => {
  upstreams = await startFaultyUpstreams(calls)
  file = writeConfigFile(failoverFile(upstreams.urls))
  gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path } })
  const baseUrl = `${gateway.url}/v1`
  const of = (sdk: Sdk): FaultyCall[] => calls.filter((call) => call.sdk === sdk)
  const outcomes = await Promise.all([
    callWithNode(baseUrl, of('node'), IN_FLIGHT),
    'missing' in python ? [] : callWithPython(python.executable, baseUrl, of('python'), IN_FLIGHT),
  ])
  await everythingLogged(baseUrl)
  collectLogs(outcomes.flat())
}, 180_000)

afterAll(async () => {
  await gateway.stop()
  await upstreams.close()
  file.remove()
})

/** The log's lines come in the order of the exchanges' ends: once this one's is there, all are. */
async function everythingLogged(baseUrl: string): Promise<void> {
  await (await fetch(`${baseUrl}/models/none`, { headers: { 'x-client-request-id': 'the-last' } })).text()
  await gateway.line((line) => line['client_request_id'] === 'the-last')
}

function collectLogs(outcomes: readonly UserOutcome[]): void {
  const exchanges = new Map<unknown, LoggedExchange[]>()
  for (const line of gateway.lines.filter(({ msg }) => msg === 'exchange')) {
    const id = line['client_request_id']
    exchanges.set(id, [...(exchanges.get(id) ?? []), line as unknown as LoggedExchange])
  }
  const byId = new Map(calls.map((call) => [call.id, call]))
  for (const outcome of outcomes) {
    const call = byId.get(outcome.id)
    if (call === undefined) throw new Error(`An outcome of a call that was not made: ${outcome.id}`)
    const arrivals = upstreams.arrivals(outcome.id)
    logs.set(outcome.id, { call, arrivals, exchanges: exchanges.get(outcome.id) ?? [], outcome })
  }
}

const RUNS = SDKS.flatMap((sdk) =>
  MODES.map((mode) => ({ sdk, mode, isSkipped: sdk === 'python' && 'missing' in python })),
)

for (const { sdk, mode, isSkipped } of RUNS) {
  const cell = (fault: Fault): CallLog[] =>
    [...logs.values()].filter(({ call }) => call.sdk === sdk && call.mode === mode && call.fault === fault)

  describe.skipIf(isSkipped)(
    `the official ${sdk} SDK, as it comes, and the ${mode} retry.on: where targets fail by`,
    () => {
      test.each(FAULTS)(
        '%s, no more attempts go upstream than are allowed, none after a first byte, and no text comes twice',
        (fault) => {
          expect(cell(fault)).toHaveLength(2 * CALLS[mode])
          expect(cell(fault).flatMap(violationsOf)).toEqual([])
        },
      )

      test.each(FAULTS)('%s, each call ends as the rules say, after as many tries of the SDK', (fault) => {
        const unlike = cell(fault).flatMap(({ call, exchanges, outcome }) => {
          const found = { isAnswered: outcome.error === null, sdkRetries: exchanges.length - 1 }
          const expected = expectationOf(call)
          return Bun.deepEquals(found, expected) ? [] : [{ id: call.id, place: call.place, outcome, found, expected }]
        })
        expect(unlike).toEqual([])
        const planned = cell(fault).filter(({ call }) => call.place !== 'nowhere')
        expect(planned.filter(hasMetFault).length).toBeGreaterThan(planned.length / 2)
      })

      test.each(RETRIED[mode])(
        '%s, all calls are answered at the first try that have a target which is well',
        (fault) => {
          const able = cell(fault).filter(({ call }) => hasWellTarget(call))
          expect(able.length).toBeGreaterThan(CALLS[mode] / 2)
          expect(able.filter(({ outcome, exchanges }) => outcome.error !== null || exchanges.length !== 1)).toEqual([])
        },
      )
    },
  )
}

describe('what watches the calls notices', () => {
  const [call] = planCalls('default', 1)
  if (call === undefined) throw new Error('There is no call.')
  const came = (more: Partial<Arrival> = {}): Arrival => ({
    side: 'first',
    retryCount: 0,
    fault: undefined,
    text: 'one two three',
    isAnswered: true,
    ...more,
  })
  const refused = (retryCount = 0): Arrival => came({ retryCount, fault: '429', text: 'none', isAnswered: false })
  const tried = (...statuses: readonly number[]): LoggedExchange => ({
    attempts: statuses.length,
    tries: statuses.map((status) => ({ status })),
  })
  const whole = { id: call.id, text: 'one two three', error: null }
  const fine: CallLog = { call, arrivals: [refused(), came()], exchanges: [tried(429, 200)], outcome: whole }

  const arrived = (...arrivals: readonly Arrival[]): Partial<CallLog> => ({
    arrivals,
    exchanges: [...new Set(arrivals.map(({ retryCount }) => retryCount))].map((retry) =>
      tried(
        ...arrivals.filter(({ retryCount }) => retryCount === retry).map(({ isAnswered }) => (isAnswered ? 200 : 429)),
      ),
    ),
  })
  const read = (text: string, error: string | null): Partial<CallLog> => ({ outcome: { id: call.id, text, error } })

  test.each<readonly [what: string, sentence: string, change: Partial<CallLog>]>([
    ['a fourth attempt', "4 attempts for the SDK's try 0", arrived(refused(), refused(), refused(), came())],
    [
      'a second attempt for a try that is an SDK’s second',
      "2 attempts for the SDK's try 1",
      arrived(refused(), refused(1), came({ retryCount: 1 })),
    ],
    ['more attempts in all', '4 attempts in all', arrived(refused(), refused(), refused(1), came({ retryCount: 2 }))],
    ['an attempt for a try that is over', 'a try that is over', arrived(refused(), refused(1), came())],
    ['an attempt that does not say which try it is for', 'no retry count', arrived(came({ retryCount: Number.NaN }))],
    ['an attempt after a first byte', 'after the first byte of an answer', arrived(came(), refused())],
    [
      'an attempt after the user has seen text',
      'after the user has seen text',
      { ...arrived(came({ isAnswered: false }), refused()), ...read('one', 'APIError') },
    ],
    ['text that comes twice', 'no error, and this text', read('one two threeone two three', null)],
    ['text that comes twice before an error', 'APIError, and this text', read('one one', 'APIError')],
    ['an error behind a whole text', 'APIError, and this text', read('one two three', 'APIError')],
    ['a text that is cut without an error', 'no error, and this text', read('one two', null)],
    ['an attempt that the log hides', '2 attempts came, and the log tells of 1', { exchanges: [tried(200)] }],
    [
      'an attempt that the log makes up',
      '2 attempts came, and the log tells of 3',
      { exchanges: [tried(429, 429, 200)] },
    ],
    ['a try in the log after an answer', 'after an answer', { exchanges: [tried(200, 200)] }],
  ])('%s', (_what, sentence, change) => {
    expect(violationsOf(fine)).toEqual([])
    expect(violationsOf({ ...fine, ...change }).join('; ')).toContain(sentence)
  })
})
