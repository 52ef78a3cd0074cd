import { expect, test } from 'bun:test'
import { usageOfCut } from '../../../src/metering/cut-usage.ts'

const UNITS = { asked: { inputText: 1000 }, tokens: 1000 }

function exchangeOf(requestTarget = '/v1/chat/completions', stream = false) {
  return { requestTarget, stream }
}

function writtenIn(ms: number, { tokens = 1000, exchange = exchangeOf() } = {}): number {
  return usageOfCut({ sentAt: 0 }, { units: { ...UNITS, tokens }, exchange }, ms).outputText
}

test('what a call asks for has been read as soon as it is sent', () => {
  const usage = usageOfCut({ sentAt: 5 }, { units: UNITS, exchange: exchangeOf() }, undefined)
  expect(usage).toMatchObject({ inputText: 1000, outputText: 0 })
})

test('a whole text that is waited for is written meanwhile, up to a bound', () => {
  expect(writtenIn(0)).toBe(0)
  expect(writtenIn(10_000)).toBe(300)
  expect(writtenIn(3_600_000)).toBe(4096)
})

test('a call is never taken to have written all that it allows', () => {
  expect(writtenIn(3_600_000, { tokens: 1000 + 100 })).toBe(50)
})

test('nothing is taken to be written in a stream, or where nothing is ever written', () => {
  expect(writtenIn(60_000, { exchange: exchangeOf('/v1/chat/completions', true) })).toBe(0)
  expect(writtenIn(60_000, { exchange: exchangeOf('/v1/embeddings') })).toBe(0)
})
