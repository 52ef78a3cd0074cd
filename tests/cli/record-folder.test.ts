import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SimulatedServer, startSimulatedServer } from '../../src/cli/simulated-server.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { runProgram } from '../helpers/run-program.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const QUESTION = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] }

let simulated: SimulatedServer
let folder: string
beforeAll(() => {
  simulated = startSimulatedServer({ chunkDelayMs: 0 })
})
afterAll(() => simulated.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-record-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function startRecording(to: string): Promise<TestGateway> {
  return startGateway({
    env: { OPENAI_API_BASE: `${simulated.url}/v1` },
    command: [...gatewayCommand(), 'record', '--to', to],
  })
}

async function ask(gateway: TestGateway, content = 'Hello'): Promise<void> {
  const body = JSON.stringify({ ...QUESTION, messages: [{ role: 'user', content }] })
  const headers = { 'content-type': 'application/json' }
  await (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })).text()
}

/** A disk of so few bytes, where this user may make one. */
function mountSmallDisk(path: string, bytes: number): boolean {
  return Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]).success
}

test.each([
  ['/dev/null/cassettes', 'a part of the path is a file, not a folder (ENOTDIR). Name a folder, not a file.'],
  ['/proc/cassettes', 'cannot be used: '],
])('a folder that nothing can be written into is refused at the start, in words: %s', async (to, said) => {
  const { code, stdout, stderr } = await runProgram(['record', '--to', to], { PORT: '0' })
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toStartWith(`nexcode: the folder of cassettes ${to} cannot be used: `)
  expect(stderr).toContain(said)
})

test('so is one on a full disk, and replay --on-miss record does the same', async () => {
  if (!mountSmallDisk(folder, 64 * 1024)) return
  try {
    writeFileSync(join(folder, 'full'), 'x'.repeat(48 * 1024))
    for (const args of [
      ['record', '--to', folder],
      ['replay', '--from', folder, '--on-miss', 'record'],
    ]) {
      const { code, stderr } = await runProgram(args, { PORT: '0' })
      expect(code).toBe(2)
      expect(stderr).toContain('cannot be used: the disk is full (ENOSPC). Make room, or name one on another disk.')
    }
    expect(readdirSync(folder)).toEqual(['full'])
  } finally {
    Bun.spawnSync(['umount', folder])
  }
})

test('a disk that gets full while it records leaves no torn file, and what was recorded before can be replayed', async () => {
  if (!mountSmallDisk(folder, 128 * 1024)) return
  try {
    const gateway = await startRecording(folder)
    await ask(gateway)
    await gateway.line(({ msg }) => msg === 'recorded')
    writeFileSync(join(folder, 'full'), 'x'.repeat(96 * 1024))
    await ask(gateway, 'x'.repeat(60 * 1024))
    const failed = await gateway.line(({ level }) => Number(level) >= 50)
    expect(failed).toMatchObject({ cause: 'the disk is full (ENOSPC)' })
    await gateway.stop()
    expect(readdirSync(folder).filter((name) => name !== 'full')).toEqual([expect.stringMatching(/^0001-.*\.json$/)])
  } finally {
    Bun.spawnSync(['umount', folder])
  }
})

test('a recording that is killed at any moment leaves only whole cassettes behind', async () => {
  const gateway = await startRecording(folder)
  const calls = Array.from({ length: 40 }, (_one, n) => ask(gateway, `question ${n} ${'x'.repeat(20_000)}`))
  const asking = Promise.allSettled(calls)
  await gateway.line(({ msg }) => msg === 'recorded')
  gateway.child?.kill('SIGKILL')
  await gateway.child?.exited
  await asking
  await gateway.stop()
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'))
  expect(names.length).toBeGreaterThan(0)
  for (const name of names) expect(JSON.parse(readFileSync(join(folder, name), 'utf8'))).toMatchObject({ cassette: 1 })
})

test('a cassette that somebody else has cut is named as what it is', async () => {
  const gateway = await startRecording(folder)
  await ask(gateway)
  await gateway.line(({ msg }) => msg === 'recorded')
  await gateway.stop()
  const [name = ''] = readdirSync(folder)
  const text = readFileSync(join(folder, name), 'utf8')
  writeFileSync(join(folder, name), text.slice(0, 100))
  const { code, stderr } = await runProgram(['replay', '--from', folder], { PORT: '0' })
  expect(code).toBe(2)
  expect(stderr).toContain(
    `${folder}/${name}: is not JSON: it is cut off, as by a full disk. Delete it, and record it anew`,
  )
})
