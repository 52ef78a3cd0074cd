import { describe, expect, test } from 'bun:test'
import { createCassettes } from '../../../src/cassettes/cassettes.ts'
import { createCassettePlayer } from '../../../src/cassettes/player.ts'
import { readIgnored } from '../../../src/cassettes/request-key.ts'
import { MemoryBudget } from '../../../src/exchange/memory-budget.ts'
import { asked, cassetteOf, openMemoryRecorder, sha256 } from './memory-recorder.ts'

const { signal } = new AbortController()

function playerOf(isClosed: boolean) {
  return createCassettePlayer([cassetteOf('one', { n: 1 })], {
    pace: 'instant',
    ignored: readIgnored(),
    isClosed,
    sleep: () => Promise.reject(new Error('nobody waits')),
    now: () => 0,
    sha256,
    secrets: () => [],
  })
}

function memory() {
  return { memory: new MemoryBudget(1_000_000), atEnd: () => undefined }
}

describe('cassettes', () => {
  test('with a recorder alone find nothing, and record', async () => {
    const { recorder, written } = await openMemoryRecorder()
    const cassettes = createCassettes({ recorder })
    expect(cassettes.isClosed).toBe(false)
    expect(await cassettes.find(asked({ n: 1 }), signal)).toBeUndefined()
    const recording = cassettes.record(asked({ n: 1 }), memory())
    recording?.onHead(200, new Headers())
    recording?.onEnd({ kind: 'complete' })
    await cassettes.settle()
    expect(written).toHaveLength(1)
  })

  test('with a player alone answer, and record nothing', async () => {
    const cassettes = createCassettes({ player: playerOf(true) })
    expect(cassettes.isClosed).toBe(true)
    expect(await (await cassettes.find(asked({ n: 1 }), signal))?.text()).toBe('one')
    expect(cassettes.record(asked({ n: 1 }), memory())).toBeUndefined()
    await cassettes.settle()
    await expect(cassettes.find(asked({ n: 2 }), signal)).rejects.toMatchObject({ kind: 'no_cassette' })
  })

  test('with both record what has no cassette', async () => {
    const { recorder } = await openMemoryRecorder()
    const cassettes = createCassettes({ player: playerOf(false), recorder })
    expect(await cassettes.find(asked({ n: 2 }), signal)).toBeUndefined()
    expect(cassettes.record(asked({ n: 2 }), memory())).toBeDefined()
  })
})
