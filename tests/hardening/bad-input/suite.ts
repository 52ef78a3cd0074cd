import { startSimulatedServer } from '../../../src/cli/simulated-server.ts'
import { openAiPreset } from '../../helpers/openai-preset.ts'
import { startGateway } from '../../helpers/start-gateway.ts'
import { inPool } from '../pool.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { type BadRequest, badRequests } from './bad-requests.ts'
import { judgeAnswer } from './judge-answer.ts'
import { runSchemathesis } from './schemathesis.ts'
import { sendBadRequest } from './send-bad-request.ts'
import { startWrongServer } from './wrong-server.ts'

const COUNT = 10_000
const COUNT_SHORT = 500
const AT_ONCE = 32
const REPORT_EVERY = 500
const SCHEMATHESIS = 'schemathesis'

/** What requests have come to. */
interface Tally {
  cases: number
  refused: number
  /** Why who was to make requests could not. */
  missing?: string
  readonly failures: HardeningFailure[]
  readonly faults: Record<'5xx' | 'out of shape' | 'unanswered', number>
}

function emptyTally(): Tally {
  return { cases: 0, refused: 0, failures: [], faults: { '5xx': 0, 'out of shape': 0, unanswered: 0 } }
}

async function sendAll(requests: readonly BadRequest[], port: number, report: HardeningRun['report']): Promise<Tally> {
  const tally = emptyTally()
  const fail = ({ id, method, target, body }: BadRequest, fault: keyof Tally['faults'], message: string): void => {
    tally.faults[fault] += 1
    const sent = `${method} ${target.slice(0, 200)} ${JSON.stringify(new TextDecoder().decode(body?.subarray(0, 300)))}`
    tally.failures.push({ id, message: `${fault}: ${message}; sent ${sent}` })
  }
  await inPool(requests, AT_ONCE, async (request) => {
    const answer = await sendBadRequest(request, port)
    tally.cases += 1
    if (tally.cases % REPORT_EVERY === 0)
      report(`${tally.cases.toLocaleString('en')} of ${requests.length.toLocaleString('en')}`)
    if (typeof answer === 'string') {
      fail(request, 'unanswered', answer)
      return
    }
    if (answer.status >= 400) tally.refused += 1
    const verdict = judgeAnswer(answer)
    if (verdict !== undefined) fail(request, verdict.fault, verdict.message)
  })
  return tally
}

/** Lets schemathesis ask; its requests have no ids, but come out the same from the same seed. */
async function askSchemathesis(port: number, seed: number): Promise<Tally> {
  const tally = emptyTally()
  const ran = await runSchemathesis(port, seed)
  if ('missing' in ran) return { ...tally, missing: ran.missing }
  for (const { answer, request } of ran.asked) {
    const verdict = judgeAnswer(answer)
    tally.cases += 1
    if (answer.status >= 400) tally.refused += 1
    if (verdict === undefined) continue
    tally.faults[verdict.fault] += 1
    tally.failures.push({ id: SCHEMATHESIS, message: `${verdict.fault}: ${verdict.message}; sent ${request}` })
  }
  return tally
}

async function run({ seed, isShort, only, report }: HardeningRun): Promise<HardeningResult> {
  const simulated = startSimulatedServer({ chunkDelayMs: 0 })
  // By the preset of OpenAI, so that what is certainly wrong is refused here.
  const file = openAiPreset()
  const gateway = await startGateway({ env: { OPENAI_API_BASE: `${simulated.url}/v1`, NEXCODE_CONFIG: file.path } })
  try {
    const requests = badRequests(seed, isShort && only === undefined ? COUNT_SHORT : COUNT).filter(
      ({ id }) => only === undefined || id === only,
    )
    const own = await sendAll(requests, gateway.port, report)
    const isAsked = only === SCHEMATHESIS || (only === undefined && !isShort)
    if (isAsked) report('schemathesis asks')
    const theirs = isAsked ? await askSchemathesis(gateway.port, seed) : emptyTally()
    return {
      cases: own.cases + theirs.cases,
      failures: [...own.failures, ...theirs.failures],
      figures: {
        '5xx': own.faults['5xx'] + theirs.faults['5xx'],
        'out of shape': own.faults['out of shape'] + theirs.faults['out of shape'],
        unanswered: own.faults.unanswered,
        refused: own.refused + theirs.refused,
        'made by schemathesis': theirs.missing ?? theirs.cases,
      },
    }
  } finally {
    await gateway.stop()
    simulated.close()
    file.remove()
  }
}

/** The stand-in fails on what it did not expect, and refuses in words of its own: both have to be seen. */
async function prove(): Promise<void> {
  const wrong = await startWrongServer()
  try {
    const { faults } = await sendAll(badRequests(0, 200), wrong.port, () => undefined)
    for (const fault of ['5xx', 'out of shape'] as const) {
      if (faults[fault] === 0) throw new Error(`The stand-in answers with ${fault}, and none was seen.`)
    }
  } finally {
    wrong.stop()
  }
}

/** Promise 9: requests made from our own OpenAPI document, by a generator of ours and by schemathesis. */
export const suite: HardeningSuite = {
  number: 9,
  name: 'bad-input',
  promise:
    'Bad input is a 4xx in OpenAI’s shape: whatever is made from our own document, nothing is answered with a 5xx or in another form',
  prove,
  run,
}
