import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { keepAlive } from '../../../src/answers/own-events.ts'
import { createDeadlines } from '../../../src/timing/deadlines.ts'
import { collectStream, streamOf, tap } from './collect-stream.ts'

test('any chunking of a stream is invisible: the chunks that come out are the ones that went in', async () => {
  const deadlines = createDeadlines()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 30 }), async (chunks) => {
      let reported: unknown
      const onEnd = (outcome: unknown, bytes: number): void => {
        reported = [outcome, bytes]
      }
      const finalBytesFor = (): undefined => undefined
      const out = await collectStream(keepAlive(tap(streamOf(chunks), { onEnd, finalBytesFor }), 60_000, deadlines))
      expect(out.chunks.map((chunk) => [...chunk])).toEqual(chunks.map((chunk) => [...chunk]))
      expect(out.isBroken).toBe(false)
      expect(reported).toEqual([{ kind: 'complete' }, chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)])
    }),
  )
})
