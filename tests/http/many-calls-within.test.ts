import { describe, expect, test } from 'bun:test'
import type { Exchange } from '../../src/exchange/exchange.ts'
import { longLists } from '../../src/openai/inner-calls.ts'
import { judgeInTurns } from '../../src/requests/judge-inner.ts'
import type { Snapshot } from '../../src/routing/snapshot.ts'
import { perTest } from '../helpers/per-test.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastBody } from '../helpers/received-requests.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

/** More than are judged in one go. */
const COUNT = 300
const RULED = {
  upstreams: { only: answerOk },
  file: {
    unknown_models: 'refuse',
    models: { plain: { targets: [{ upstream: 'only' }] } },
    params: [{ clamp: { max_tokens: { max: 100 } } }],
  },
}

/** So many calls, of which the last has these parameters besides. */
function calls(more: object = {}): readonly object[] {
  return Array.from({ length: COUNT }, (_, at) => ({
    custom_id: String(at),
    params: { model: 'plain', messages: MESSAGES, ...(at === COUNT - 1 && more) },
  }))
}

function batch(body: object): string {
  return postText('/v1/messages/batches', JSON.stringify(body))
}

describe('hundreds of calls within one request', () => {
  test('are judged one by one, and go on as they came where all are right', async () => {
    const gateway = await start(RULED)
    const body = { requests: calls({ max_tokens: 100 }) }
    expect((await sendRaw(gateway.port, batch(body))).status).toBe(200)
    expect(await lastBody(gateway.upstreams.only)).toBe(JSON.stringify(body))
  })

  test.each([
    ['a cap of the last one', { requests: calls({ max_tokens: 101 }) }, 400, 'requests[299].params'],
    ['a cap within the last one', { requests: calls({ x: { max_tokens: 101 } }) }, 400, 'x.max_tokens'],
    [
      'a cap beside its parameters',
      { requests: [...calls(), { params: { model: 'plain' }, x: [{ max_tokens: 101 }] }] },
      400,
      'requests[300].x[0].max_tokens',
    ],
    ['a cap beside them', { requests: calls(), session: { max_tokens: 101 } }, 400, 'session.max_tokens'],
    ['the model of the last one', { requests: calls({ model: 'other' }) }, 404, null],
    ['a model in a list that is a list', { requests: [...calls(), [{ model: 'other' }]] }, 404, null],
    ['a second list', { requests: calls(), more: [{ body: { model: 'other' } }] }, 404, null],
    [
      'a call in what is said',
      { requests: calls(), contents: calls({ max_tokens: 101 }) },
      400,
      'contents[299].params',
    ],
  ] as const)('are refused for %s', async (_what, body, status, param) => {
    const gateway = await start(RULED)
    expect(await refusalOf(gateway.port, batch(body))).toMatchObject({ status, param })
  })

  test('leave the event loop free in between', async () => {
    const value = JSON.parse(JSON.stringify({ requests: Array.from({ length: 50 }, () => calls()).flat() }))
    const live = { modelsDecide: true, rules: { match: () => undefined }, settings: { unknownModels: 'pass' } }
    let turns = 0
    const count = setInterval(() => (turns += 1), 0)
    const judged = {
      ...{
        exchange: {
          principal: { kind: 'local' },
          requestTarget: '/v1/messages/batches',
          request: new Request('http://x/'),
        } as unknown as Exchange,
        value,
      },
      ...{ snapshot: live as unknown as Snapshot, program: undefined },
      checkOwn: () => undefined,
    }
    const models = await judgeInTurns(judged, value, longLists(value))
    clearInterval(count)
    expect(models).toEqual([{ model: 'plain', param: 'requests[0].params.model' }])
    expect(turns).toBeGreaterThan(0)
  })
})

test('a request that names more models than can be looked up is refused', async () => {
  const gateway = await start(RULED)
  const body = { model: 'plain', messages: MESSAGES, models: Array.from({ length: 10_001 }, (_, at) => `m${at}`) }
  const text = postText('/v1/chat/completions', JSON.stringify(body))
  expect(await refusalOf(gateway.port, text)).toMatchObject({ status: 400, code: 'rules_not_applicable' })
})
