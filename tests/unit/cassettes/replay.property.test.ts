import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { readCassettes } from '../../../src/cassettes/cassette-folder.ts'
import { createCassettePlayer } from '../../../src/cassettes/player.ts'
import { readIgnored } from '../../../src/cassettes/request-key.ts'
import { collectStream } from '../answers/collect-stream.ts'
import { asked, openMemoryRecorder, sha256, utf8 } from './memory-recorder.ts'

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array) => new Uint8Array(array))
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).map(utf8)
const json = fc
  .tuple(fc.json(), fc.constantFrom(0, 1, 2, 3), fc.constantFrom('', '\n'))
  .map(([value, indent, end]) => utf8(JSON.stringify(JSON.parse(value), undefined, indent) + end))
const target = fc.constantFrom('/v1/a', '/v1/b?c=1&d=2', '/b')
const requests = fc.record({ target, body: fc.oneof(bytes, text, json) })
const answers = fc.record({
  chunks: fc.array(fc.oneof(bytes, text, json), { maxLength: 5 }),
  type: fc.constantFrom('text/event-stream', 'application/json', 'audio/wav'),
})

test('what was recorded is played again, byte by byte, and a stream chunk by chunk', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(requests, answers), { minLength: 1, maxLength: 4 }), async (exchanges) => {
      const { recorder, folder } = await openMemoryRecorder()
      for (const [request, { chunks, type }] of exchanges) {
        const recording = recorder.begin(asked(0, request))
        recording.onHead(200, new Headers({ 'content-type': type }))
        for (const chunk of chunks) recording.onChunk(chunk)
        recording.onEnd({ kind: 'complete' })
        await recorder.settle()
      }
      const { cassettes, problems } = await readCassettes(folder)
      expect(problems).toEqual([])
      const player = createCassettePlayer(cassettes, {
        pace: 'instant',
        ignored: readIgnored(),
        isClosed: true,
        sleep: async () => undefined,
        now: () => 0,
        sha256,
        secrets: () => [],
      })
      for (const [request, { chunks, type }] of exchanges) {
        const response = await player.find(asked(0, request), new AbortController().signal)
        expect(response?.headers.get('content-type')).toBe(type)
        const body = response?.body
        const played = body === null || body === undefined ? [] : (await collectStream(body)).chunks
        if (type === 'text/event-stream')
          expect(played.map((chunk) => [...chunk])).toEqual(chunks.map((chunk) => [...chunk]))
        else expect(Buffer.concat(played)).toEqual(Buffer.concat(chunks))
      }
    }),
    { numRuns: 500 },
  )
})
