import { expect, test } from 'bun:test'
import { createOriginConnections } from '../../../src/upstream/origin-connections.ts'

/** Connections of a few origins, and a clock. */
function start() {
  let at = 5000
  const connectionsOf = createOriginConnections(() => at)
  return {
    of: (url: string) => connectionsOf(new URL(url)),
    pass(ms: number) {
      at += ms
    },
  }
}

const OWN = 'http://vllm.test:8000/v1/chat/completions'

test('kept connections are used while answers come, whatever the client is told of its own mistakes', () => {
  const { of, pass } = start()
  for (const status of [200, 400, 401, 404, 413, 422, 429]) {
    expect(of(OWN).isTrusted()).toBe(true)
    of(OWN).onAnswer(status, true)
    pass(1000)
  }
})

test('for a second after a 5xx every call of that origin has a connection of its own, by whatever URL', () => {
  const { of, pass } = start()
  of(OWN).onAnswer(500, true)
  expect(of('http://vllm.test:8000/v1/embeddings?x=1').isTrusted()).toBe(false)
  expect(of('http://vllm.test:8001/v1/embeddings').isTrusted()).toBe(true)
  pass(900)
  of(OWN).onAnswer(200, false)
  expect(of(OWN).isTrusted()).toBe(false)
  pass(100)
  expect(of(OWN).isTrusted()).toBe(true)
})

test('a server of one’s own gets a new connection when it has been left alone for longer than servers keep one', () => {
  const { of, pass } = start()
  of(OWN).onAnswer(200, true)
  of('https://vllm.test/v1').onAnswer(200, true)
  pass(1499)
  expect(of(OWN).isTrusted()).toBe(true)
  pass(1)
  expect([of(OWN).isTrusted(), of('https://vllm.test/v1').isTrusted()]).toEqual([false, true])
  of(OWN).onAnswer(200, false)
  expect(of(OWN).isTrusted()).toBe(true)
})

test('the providers’ own servers keep what they say they keep', () => {
  const { of } = start()
  for (const url of ['https://api.openai.com/v1/responses', 'https://mine.openai.azure.com/openai/v1/responses']) {
    of(url).onAnswer(503, true)
    expect(of(url).isTrusted()).toBe(true)
  }
  of('http://api.openai.com/v1').onAnswer(503, true)
  expect(of('http://api.openai.com/v1').isTrusted()).toBe(false)
})

test('a connection may be a kept one only where one was kept, and none was found dead since', () => {
  const { of } = start()
  expect(of(OWN).mayBeKept()).toBe(false)
  of(OWN).onAnswer(200, false)
  expect(of(OWN).mayBeKept()).toBe(false)
  of(OWN).onAnswer(200, true)
  expect(of(OWN).mayBeKept()).toBe(true)
  of(OWN).onStale()
  expect([of(OWN).mayBeKept(), of(OWN).isTrusted()]).toEqual([false, false])
})
