import { expect, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { beginStream, LONG_PROMPT, OF_PROMPT, OF_WORDS } from '../helpers/long-prompt.ts'
import { answerUsed, startMetered } from '../helpers/metered-gateway.ts'
import { untilPlaces } from '../helpers/until-places.ts'
import { byHand } from '../helpers/upstream-scripts.ts'

const LIMIT = { spend_limit: { day: 1000 } }

test('a gateway that is killed has booked, when it comes again, what each call has cost until then, and holds nothing', async () => {
  await using gateway = await startMetered(byHand, {
    command: gatewayCommand(),
    settings: { openai: { concurrency: { max: 2, queue: 2 } } },
  })
  const { openai } = gateway.upstreams
  const [sent = '', streaming = '', ended = '', waiting = ''] = await Promise.all(
    Array.from({ length: 4 }, () => gateway.key(LIMIT)),
  )
  const ask = (key: string, body: object = {}): Promise<Response> =>
    gateway.ask(key, { ...LONG_PROMPT, max_tokens: 10_000, ...body })
  const cut: Promise<unknown>[] = [ask(sent).catch(() => undefined)]
  await (await openai.request(1)).body
  openai.play(beginStream)
  const reader = (await ask(streaming, { stream: true })).body?.getReader()
  await reader?.read()
  await untilPlaces(gateway, 2, 0)
  cut.push(ask(waiting).catch(() => undefined))
  await untilPlaces(gateway, 2, 1)
  gateway.child?.kill('SIGKILL')
  await gateway.child?.exited
  await Promise.all(cut)
  expect(openai.requests).toHaveLength(2)

  await using next = await startMetered(answerUsed(1000, 100), {
    command: gatewayCommand(),
    env: { LEDGER: gateway.store },
  })
  const sum = await next.booked(3)
  expect(sum.requests).toBe(3)
  const spends = await Promise.all([sent, streaming, waiting].map((key) => next.spend(key)))
  expect(spends.map(({ held }) => held)).toEqual([0n, 0n, 0n])
  const [ofSent = 0, ofStreaming = 0, ofWaiting = 0] = spends.map(({ spent }) => Number(spent))
  expect(BigInt(ofSent + ofStreaming + ofWaiting)).toBe(sum.cost)
  expect(ofSent / OF_PROMPT).toBeCloseTo(1, 1)
  expect(ofStreaming / (OF_PROMPT + OF_WORDS)).toBeCloseTo(1, 1)
  expect(ofWaiting).toBe(0)
  // The prompts of the two that were sent: what has a cost has a use.
  expect(((sum.usage['inputText'] ?? 0) * 2500) / OF_PROMPT).toBeCloseTo(2, 1)

  // A call that has ended, and is not in the books yet.
  expect(await (await next.ask(ended)).json()).toHaveProperty('usage')
  next.child?.kill('SIGKILL')
  await next.child?.exited
  await using last = await startMetered(byHand, { command: gatewayCommand(), env: { LEDGER: gateway.store } })
  expect((await last.booked(4)).cost).toBe(sum.cost + 3_500_000n)
  expect(await last.spend(ended)).toEqual({ spent: 3_500_000n, held: 0n })
})
