import { describe, expect, test } from 'bun:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { FullMask } from '../../../src/answers/body-mask.ts'
import { maskStream } from '../../../src/answers/mask-stream.ts'
import { maskOf } from '../upstream/mask-of.ts'
import { collectStream, streamOf } from './collect-stream.ts'

const KEY = 'sk-server-0123456789-abcdefghij'
const STARS = '*'.repeat(KEY.length)
const mask = maskOf(KEY)

function masked(source: ReadableStream<Uint8Array>, headers: Record<string, string> = {}, isStrict = true) {
  return maskStream(source, new Headers(headers), { makeMask: () => new FullMask(mask), isStrict })
}

describe('a body as it comes', () => {
  test('has stars over the key, however it is cut', async () => {
    const text = `before ${KEY} between ${KEY}`
    for (let size = 1; size < text.length; size += 1) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
        text.slice(n * size, (n + 1) * size),
      )
      expect((await collectStream(masked(streamOf(pieces)))).text).toBe(`before ${STARS} between ${STARS}`)
    }
  })

  test('goes on chunk by chunk, and is not read ahead of its reader', async () => {
    let pulls = 0
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls += 1
          controller.enqueue(new TextEncoder().encode(`chunk ${pulls}.`))
        },
      },
      { highWaterMark: 0 },
    )
    const reader = masked(source).getReader()
    expect(pulls).toBe(0)
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('chunk 1.')
    expect(pulls).toBe(1)
    await reader.cancel()
  })

  test('waits only with what may be the beginning of the key, which comes before its end', async () => {
    const body = await collectStream(masked(streamOf(['words sk-serv', '', 'ing', ' sk-server'])))
    expect(body.chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual([
      'words ',
      'sk-serving',
      ' ',
      'sk-server',
    ])
  })

  test('of megabytes is searched in pieces, with a key across their border', async () => {
    const large = `${'x'.repeat(65_530)}${KEY}${'y'.repeat(100_000)}`
    expect((await collectStream(masked(streamOf([large])))).text).toBe(large.replace(KEY, STARS))
  })

  test('breaks as its source does, behind all that came', async () => {
    const cause = new Error('reset')
    const reader = masked(streamOf(['part sk-serv'], cause)).getReader()
    const seen: string[] = []
    const broken = await (async () => {
      for (;;) seen.push(Buffer.from((await reader.read()).value ?? []).toString())
    })().catch((reason: unknown) => reason)
    expect([seen.join(''), broken]).toEqual(['part sk-serv', cause])
  })

  test('cancels its source when its reader leaves, whether or not anything was read', async () => {
    for (const isRead of [false, true]) {
      const cancelled: unknown[] = []
      const source = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new Uint8Array([1])),
        cancel: (reason) => void cancelled.push(reason),
      })
      const reader = masked(source).getReader()
      if (isRead) await reader.read()
      await reader.cancel('left')
      expect(cancelled).toEqual(['left'])
    }
  })
})

describe('an encoded body', () => {
  const clean = gzipSync('{"id":"c"}')
  const telling = gzipSync(`{"error":"${KEY}"}`)

  test.each([{ 'content-encoding': 'gzip' }, { 'content-type': 'application/json' }, {}])(
    'with %j passes without the key, and breaks off before it',
    async (headers) => {
      const whole = await collectStream(masked(streamOf([new Uint8Array(clean)]), headers as Record<string, string>))
      expect(Buffer.concat(whole.chunks).equals(clean)).toBe(true)
      const cut = await collectStream(masked(streamOf([new Uint8Array(telling)]), headers as Record<string, string>))
      expect([cut.isBroken, cut.chunks]).toEqual([true, []])
    },
  )

  test('that breaks off before the key cancels its source', async () => {
    const cancelled: unknown[] = []
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(telling)),
      cancel: (reason) => void cancelled.push(reason),
    })
    await collectStream(masked(source, { 'content-encoding': 'gzip' }))
    expect(cancelled).toMatchObject([{ kind: 'upstream_invalid_response' }])
  })

  test('is looked for by its first bytes only where the type may be a text', async () => {
    const sound = await collectStream(masked(streamOf([new Uint8Array(telling)]), { 'content-type': 'audio/mpeg' }))
    expect([Buffer.concat(sound.chunks).equals(telling), sound.isBroken]).toEqual([true, false])
  })

  test('in several codings is searched as it is', async () => {
    const twice = brotliCompressSync(clean)
    const body = await collectStream(masked(streamOf([new Uint8Array(twice)]), { 'content-encoding': 'gzip, br' }))
    expect(Buffer.concat(body.chunks).equals(twice)).toBe(true)
  })

  test('lets its decoder go when its reader leaves in the midst of it', async () => {
    const half = new Uint8Array(clean.subarray(0, 15))
    const reader = masked(streamOf([half, half]), { 'content-encoding': 'gzip' }).getReader()
    await reader.read()
    await reader.cancel('left')
    expect(await reader.read()).toEqual({ done: true, value: undefined })
  })
})
