import { afterEach, beforeEach, expect, jest, test } from 'bun:test'
import { SILENT_MS, startHeartbeat } from '../../../../src/process/workers/heartbeat.ts'

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

function watch(answers: (question: number) => boolean) {
  let asked = 0
  let stuck = 0
  const heartbeat = startHeartbeat({
    ask() {
      asked += 1
      if (answers(asked)) heartbeat.onAnswer()
    },
    onStuck() {
      stuck += 1
    },
  })
  return { heartbeat, asked: () => asked, stuck: () => stuck }
}

test('a worker that answers is never held to be stuck', () => {
  const { stuck, asked } = watch(() => true)
  jest.advanceTimersByTime(SILENT_MS * 10)
  expect(asked()).toBeGreaterThan(50)
  expect(stuck()).toBe(0)
})

test('nor is one that answers late: each answer counts for all questions before it', () => {
  const { stuck } = watch((question) => question % 5 === 0)
  jest.advanceTimersByTime(SILENT_MS * 10)
  expect(stuck()).toBe(0)
})

test('one that has stopped answering is, once, when its time is up', () => {
  const { stuck } = watch((question) => question < 4)
  jest.advanceTimersByTime(SILENT_MS)
  expect(stuck()).toBe(0)
  jest.advanceTimersByTime(SILENT_MS)
  expect(stuck()).toBe(1)
  jest.advanceTimersByTime(SILENT_MS * 10)
  expect(stuck()).toBe(1)
})

test('one that has ended is asked no more', () => {
  const { heartbeat, stuck } = watch(() => false)
  heartbeat.stop()
  jest.advanceTimersByTime(SILENT_MS * 10)
  expect(stuck()).toBe(0)
})
