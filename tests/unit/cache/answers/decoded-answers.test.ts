import { expect, test } from 'bun:test'
import { DecodedAnswers } from '../../../../src/cache/answers/decoded-answers.ts'
import { encodeAnswer } from '../../../../src/cache/answers/stored-answer.ts'

const encode = (text: string, storedAt = 1) =>
  encodeAnswer({
    status: 200,
    headers: [['content-type', 'application/json']],
    chunks: [{ bytes: new TextEncoder().encode(text), atMs: 0 }],
    storedAt,
    ttlMs: 1000,
  })

test('an answer whose bytes come again is decoded once, whichever array they come in', async () => {
  const decoded = new DecodedAnswers()
  const bytes = await encode('{"a":1}')
  const first = await decoded.decode('key', bytes)
  expect(first).toMatchObject({ status: 200, storedAt: 1 })
  expect(decoded.decode('key', bytes)).toBe(first)
  expect(decoded.decode('key', bytes.slice())).toBe(first)
})

test('another answer of a key takes the place of the known one, and another key has its own', async () => {
  const decoded = new DecodedAnswers()
  await decoded.decode('key', await encode('{"a":1}'))
  expect(await decoded.decode('key', await encode('{"a":1}', 2))).toMatchObject({ storedAt: 2 })
  expect(await decoded.decode('key', await encode('{"a":1}'))).toMatchObject({ storedAt: 1 })
  expect(await decoded.decode('other', await encode('{"b":1}', 3))).toMatchObject({ storedAt: 3 })
})

test('bytes that are cut or damaged are no answer, also behind a good one', async () => {
  const decoded = new DecodedAnswers()
  const bytes = await encode('{"a":1}')
  await decoded.decode('key', bytes)
  expect(await decoded.decode('key', bytes.slice(0, -1))).toBeUndefined()
  const damaged = bytes.slice()
  damaged[9] = (damaged[9] ?? 0) ^ 1
  expect(await decoded.decode('key', damaged)).toBeUndefined()
})

test('an answer that is too large to be remembered is decoded each time', async () => {
  const decoded = new DecodedAnswers()
  const bytes = await encode(`"${'x'.repeat(5 * 1024 * 1024)}"`)
  const first = await decoded.decode('key', bytes)
  const second = await decoded.decode('key', bytes)
  expect(first?.chunks).toEqual(second?.chunks ?? [])
  expect(second).not.toBe(first)
})
