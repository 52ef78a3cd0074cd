import { describe, expect, test } from 'bun:test'
import { bodyNoteOf, noteBody, noteSilence, silentMs, standalone, wholeOf } from '../../../src/answers/body-note.ts'
import { Tap } from '../../../src/answers/tap.ts'
import type { Outcome } from '../../../src/exchange/outcome.ts'
import { streamOf } from './collect-stream.ts'

const WHOLE = new TextEncoder().encode('all of it')

describe('a note beside a response', () => {
  test('is there for whoever has that very response, and for no copy of it', () => {
    const response = new Response('x')
    expect([bodyNoteOf(response), wholeOf(response)]).toEqual([undefined, undefined])
    expect(noteBody(response, { whole: WHOLE })).toBe(response)
    expect(wholeOf(response)).toBe(WHOLE)
    expect(wholeOf(new Response(null, response))).toBeUndefined()
  })

  test('of a tap says nothing of the whole', () => {
    const response = noteBody(new Response('x'), { tap: new Tap({ onEnd: () => undefined }) })
    expect([wholeOf(response), bodyNoteOf(response)]).toMatchObject([undefined, { tap: expect.any(Tap) }])
  })
})

describe('a response for a server that knows of no notes', () => {
  test('is the response itself where there is none', () => {
    const response = new Response('x')
    expect(standalone(response)).toBe(response)
  })

  test('has all of its body where that is only noted', async () => {
    const init = { status: 201, headers: { 'x-kept': '1' } }
    const response = standalone(noteBody(new Response(null, init), { whole: WHOLE }))
    expect([await response.text(), response.status, response.headers.get('x-kept')]).toEqual(['all of it', 201, '1'])
  })

  test('tells the tap of all that is read, once', async () => {
    const ends: unknown[] = []
    const tap = new Tap({ onEnd: (outcome: Outcome, bytes) => void ends.push([outcome.kind, bytes]) })
    const response = standalone(noteBody(new Response(streamOf(['ab', 'c'])), { tap }))
    expect(await response.text()).toBe('abc')
    expect(ends).toEqual([['complete', 3]])
  })

  test('has none where the noted one has none', () => {
    const tap = new Tap({ onEnd: () => undefined })
    expect(standalone(noteBody(new Response(null), { tap })).body).toBeNull()
  })
})

test('an answer that was looked at is as long silent as its last byte is ago, and any other not at all', () => {
  const response = new Response('x')
  expect(silentMs(response)).toBe(0)
  noteSilence(response, performance.now() - 50)
  expect(silentMs(response)).toBeGreaterThanOrEqual(50)
})
