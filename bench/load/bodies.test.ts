import { expect, test } from 'bun:test'
import { BODY_NAMES, bodyOf, makeQuestion } from './bodies.ts'

const SIZES: Readonly<Record<string, number>> = { agent1mb: 1_000_000, agent2mb: 2_000_000 }

test.each([...BODY_NAMES])('%s is as large as it says', (name) => {
  const size = SIZES[name] ?? 100_000
  const bytes = Buffer.byteLength(JSON.stringify(bodyOf(name)))
  expect(Math.abs(bytes - size) / size).toBeLessThan(0.02)
})

test('the same bytes are made in each run', () => {
  const print = () => Bun.spawnSync([process.execPath, `${import.meta.dir}/bodies.ts`, 'messages']).stdout.toString()
  expect(print()).toBe(JSON.stringify(bodyOf('messages')))
})

test('code is full of escapes, a transcript full of messages, tools are a hundred', () => {
  const escapes = JSON.stringify(bodyOf('code')).match(/\\./g) ?? []
  expect(escapes.length).toBeGreaterThan(6000)
  expect((bodyOf('messages')['messages'] as unknown[]).length).toBeGreaterThan(400)
  expect((bodyOf('tools')['tools'] as unknown[]).length).toBe(100)
})

test('a question has the length that was asked for', () => {
  expect(makeQuestion(1000)['messages']).toEqual([{ role: 'user', content: expect.stringMatching(/^.{1000}$/s) }])
})
