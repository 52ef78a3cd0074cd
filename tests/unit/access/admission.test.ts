import { expect, test } from 'bun:test'
import { createAdmission } from '../../../src/access/admission.ts'
import { ApiError } from '../../../src/openai/api-error.ts'

const make = (inFlightMax: number, callerSharePercent = 50) => createAdmission({ inFlightMax, callerSharePercent })

/** How many of so many wishes are met, all at once. */
function seats(admission: ReturnType<typeof make>, caller: string, wishes: number, at: number): (() => void)[] {
  const releases: (() => void)[] = []
  for (let n = 0; n < wishes; n += 1) {
    try {
      releases.push(admission.admit(caller, at))
    } catch (refusal) {
      expect(refusal).toBeInstanceOf(ApiError)
      expect((refusal as ApiError).kind).toBe('overloaded')
    }
  }
  return releases
}

test('a caller that is alone may have all places', () => {
  expect(seats(make(8), 'alice', 12, 0)).toHaveLength(8)
})

test('a caller that has all places gets no more than its share once another wants one, who has the rest', () => {
  const admission = make(8)
  const alices = seats(admission, 'alice', 8, 0)
  expect(seats(admission, 'bob', 1, 1)).toHaveLength(0)
  for (const release of alices.splice(0, 4)) release()
  expect(seats(admission, 'alice', 1, 2)).toHaveLength(0)
  expect(seats(admission, 'bob', 8, 3)).toHaveLength(4)
  alices.pop()?.()
  expect(seats(admission, 'alice', 2, 4)).toHaveLength(1)
})

test('a minute after the last other one, a caller may have all places again', () => {
  const admission = make(4)
  for (const release of seats(admission, 'bob', 1, 0)) release()
  expect(seats(admission, 'alice', 4, 59_000)).toHaveLength(2)
  expect(seats(admission, 'alice', 4, 61_000)).toHaveLength(2)
})

test('with a share of 100 nobody is kept to one', () => {
  const admission = make(4, 100)
  expect(seats(admission, 'bob', 1, 0)).toHaveLength(1)
  expect(seats(admission, 'alice', 4, 0)).toHaveLength(3)
})

test('everybody has a place at least, and places are given back, whoever had them', () => {
  const admission = make(2, 1)
  for (let n = 0; n < 10_000; n += 1) {
    const held = seats(admission, `caller-${n}`, 2, n)
    expect(held.length).toBeGreaterThan(0)
    for (const release of held) release()
  }
  expect(admission.isIdle()).toBe(true)
})

test('uploads have half of the places, at least one, and give theirs back once', () => {
  const one = make(1).upload()
  one()
  const admission = make(5)
  const first = admission.upload()
  admission.upload()
  expect(() => admission.upload()).toThrow(ApiError)
  first()
  first()
  admission.upload()
  expect(() => admission.upload()).toThrow(ApiError)
})

test('who was let in to send its body before the end began is waited for, and served', async () => {
  const admission = make(1)
  const arrived = admission.arrive()
  let isDrained = false
  const drained = admission.drain().then(() => {
    isDrained = true
  })
  expect(() => admission.arrive()).toThrow(ApiError)
  expect(() => admission.admit('a', 0)).toThrow(ApiError)
  const release = admission.admit('a', 0, true)
  release()
  await Promise.resolve()
  expect([isDrained, admission.isIdle()]).toEqual([false, false])
  arrived()
  await drained
})

test('the places that are taken are counted, and none is taken by a request that was refused', () => {
  const admission = make(2, 100)
  const [first, second] = seats(admission, 'alice', 3, 0)
  expect([admission.inFlight(), admission.isIdle()]).toEqual([2, false])
  first?.()
  expect(admission.inFlight()).toBe(1)
  second?.()
  expect([admission.inFlight(), admission.isIdle()]).toEqual([0, true])
})

test('a drain with nothing under way is over at once, and lets nobody in from then on', async () => {
  const admission = make(4)
  expect(admission.isDraining()).toBe(false)
  await admission.drain()
  expect(admission.isDraining()).toBe(true)
  for (const enter of [() => admission.admit('a', 0), () => admission.arrive()]) {
    expect(enter).toThrow(expect.objectContaining({ kind: 'draining' }))
  }
})

test('a drain ends with the last request, and not with an upload that is only counted', async () => {
  const admission = make(4)
  const [first, second] = seats(admission, 'alice', 2, 0)
  const uploaded = admission.upload()
  const ends: string[] = []
  const drained = admission.drain().then(() => ends.push('drained'))
  first?.()
  await Promise.resolve()
  ends.push('one is left')
  second?.()
  await drained
  expect(ends).toEqual(['one is left', 'drained'])
  uploaded()
})

test('who found no place counts as another who wants one: the share holds for whoever has them all', () => {
  const admission = make(2)
  const alices = seats(admission, 'alice', 2, 0)
  expect(seats(admission, 'bob', 1, 1_000)).toHaveLength(0)
  alices.pop()?.()
  expect(seats(admission, 'alice', 1, 2_000)).toHaveLength(0)
  expect(seats(admission, 'bob', 1, 3_000)).toHaveLength(1)
})

test('the refusal says whether the server is full, the caller’s share is used up, or uploads are too many', () => {
  const admission = make(4)
  const refused = (enter: () => unknown): string => {
    try {
      enter()
      return 'let in'
    } catch (refusal) {
      return (refusal as ApiError).message
    }
  }
  seats(admission, 'bob', 1, 0)
  seats(admission, 'alice', 2, 1)
  expect(refused(() => admission.admit('alice', 2))).toContain('in flight for you')
  seats(admission, 'bob', 1, 3)
  expect(refused(() => admission.admit('carol', 4))).not.toContain('for you')
  for (let n = 0; n < 2; n += 1) admission.upload()
  expect(refused(() => admission.upload())).toContain('as many uploads under way')
})
