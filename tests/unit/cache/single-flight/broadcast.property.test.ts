import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Broadcast } from '../../../../src/cache/single-flight/broadcast.ts'
import { settled } from '../hand-fed-body.ts'

/** What may happen next: somebody joins, one of those who are there reads a chunk, or leaves, or all that can go on does. */
const ACT = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: 'join' as const, who: 0 }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('read' as const), who: fc.nat({ max: 9 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('cancel' as const, 'abort' as const), who: fc.nat({ max: 9 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'wait' as const, who: 0 }) },
)

interface Reader {
  readonly reader: {
    read(): Promise<{ readonly value?: Uint8Array | undefined }>
    cancel(): Promise<void>
  }
  readonly abort: AbortController
  readonly reads: Promise<Uint8Array | undefined>[]
  hasLeft: boolean
}

/** A source that takes a few turns for each chunk, and counts. */
function sourceOf(chunks: readonly Uint8Array[], delays: readonly number[], isBroken: boolean) {
  let given = 0
  let isCancelled = false
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (let turn = delays[given % delays.length] ?? 0; turn > 0; turn -= 1) await Promise.resolve()
        if (isCancelled) return
        const chunk = chunks[given]
        given += 1
        if (chunk !== undefined) controller.enqueue(chunk)
        else if (isBroken) controller.error(new Error('reset'))
        else controller.close()
      },
      cancel() {
        isCancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { body, given: () => given, isCancelled: () => isCancelled, isEnded: () => given > chunks.length }
}

test('whoever stays gets exactly the bytes of the source, whoever else joins, reads, leaves or dawdles', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
      fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.array(ACT, { maxLength: 60 }),
      fc.constantFrom(0, 300, 1000, 1_000_000),
      fc.boolean(),
      async (chunks, delays, isBroken, acts, keptBytesMax, runsOn) => {
        const whole = Buffer.concat(chunks)
        const source = sourceOf(chunks, delays, isBroken)
        const ends: string[] = []
        let kept: Uint8Array | undefined
        const one = new Broadcast(source.body, {
          now: () => 0,
          keptBytesMax,
          runsOn,
          isInFull: () => false,
          onComplete: (all) => {
            ends.push('complete')
            kept = Buffer.concat(all.map(({ bytes }) => bytes))
          },
          onClosed: () => ends.push('closed'),
          onEnd: (end) => end === 'broken' && ends.push(end),
        })
        const readers: Reader[] = []
        const join = (): void => {
          const abort = new AbortController()
          const stream = one.join(abort.signal)
          if (stream !== undefined) readers.push({ reader: stream.getReader(), abort, reads: [], hasLeft: false })
        }
        const read = ({ reader, reads }: Reader): void => {
          reads.push(
            reader.read().then(
              ({ value }) => value,
              () => undefined,
            ),
          )
        }
        join()
        for (const { kind, who } of acts) {
          const reader = readers[who % readers.length]
          if (kind === 'join') join()
          else if (kind === 'wait') await settled()
          else if (reader === undefined || reader.hasLeft) continue
          else if (kind === 'read') read(reader)
          else {
            reader.hasLeft = true
            if (kind === 'abort') reader.abort.abort(new Error('left'))
            else await reader.reader.cancel().catch(() => undefined)
          }
          if (!runsOn) {
            // Never ahead of the fastest reader; an end or a break counts as one more, and chunks without bytes as none.
            const wanted = Math.max(0, ...readers.map(({ reads }) => reads.length))
            const empty = chunks.filter(({ byteLength }) => byteLength === 0).length
            expect(source.given()).toBeLessThanOrEqual(wanted + empty)
          }
        }
        // All at once: beyond the bound the slowest of them holds the others back.
        await Promise.all(
          readers.map(async ({ reader, reads, hasLeft }) => {
            const got = (await Promise.all(reads)).filter((bytes) => bytes !== undefined)
            let didBreak = false
            while (!hasLeft) {
              const next = await reader.read().catch(() => undefined)
              didBreak = next === undefined
              if (next?.value === undefined) break
              got.push(next.value)
            }
            const bytes = Buffer.concat(got)
            expect([...bytes]).toEqual([...whole.subarray(0, bytes.byteLength)])
            if (hasLeft) return
            expect(bytes.byteLength).toBe(whole.byteLength)
            expect(didBreak).toBe(isBroken)
          }),
        )
        for (let turn = 0; turn < 40; turn += 1) await settled()
        const isAllGone = readers.every(({ hasLeft }) => hasLeft)
        expect(ends.length).toBeLessThanOrEqual(2)
        if (!isAllGone && isBroken) expect(ends).toContain('broken')
        if (!isAllGone) expect(source.isCancelled()).toBe(false)
        if (kept !== undefined) expect([...kept]).toEqual([...whole])
        // Within the bound it is kept whole, or cancelled; or it has ended by itself, unseen, when the last reader leaves.
        if (keptBytesMax === 1_000_000 && !isBroken) {
          const isWhole = kept !== undefined
          if (!isAllGone || runsOn) expect(isWhole).toBe(true)
          expect(isWhole || source.isCancelled() || source.isEnded()).toBe(true)
        }
      },
    ),
    { numRuns: 2000 },
  )
})
