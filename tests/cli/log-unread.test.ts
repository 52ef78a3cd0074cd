import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../helpers/free-port.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient, sendRaw } from '../helpers/raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { CAN_HOLD_OUTPUT, startUnread } from '../helpers/unread-output.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

setDefaultTimeout(90_000)

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream((_request, { json }) => json({ ok: true }))
})
afterAll(() => upstream.close())

const WITH_KEY = { Authorization: 'Bearer sk-mine' }
/** More than any terminal, socket or pipe holds. */
const CALLS = 1500

async function envFor(port: number): Promise<Record<string, string>> {
  const { url } = upstream
  return { HOST: '127.0.0.1', PORT: String(port), LOG_FORMAT: 'json', OPENAI_API_BASE: `${url}/v1` }
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const client = await openRawClient(port).catch(() => undefined)
    client?.leave()
    if (client !== undefined) return
    await Bun.sleep(50)
  }
}

async function callOften(port: number, calls: number, id: string): Promise<void> {
  for (let n = 0; n < calls; n += 1) {
    const answer = await sendRaw(
      port,
      getText('/v1/models', { ...WITH_KEY, 'X-Client-Request-Id': `${id}${n}.${'c'.repeat(90)}` }),
    )
    expect(answer.status).toBe(200)
  }
}

test.skipIf(!CAN_HOLD_OUTPUT).each(['terminal', 'socket', 'pipe'] as const)(
  'a %s that nobody reads holds nobody up, and gets all lines once it is read',
  async (kind) => {
    const port = await freePort()
    const program = startUnread(kind, await envFor(port))
    try {
      await within(AT_ONCE_MS, 'the start', listening(port))
      await within(60_000, 'the calls', callOften(port, CALLS, 'n'))
      const text = await within(AT_ONCE_MS, 'the end', program.read())
      expect(text.split('\n').filter((line) => line.includes('"msg":"exchange"'))).toHaveLength(CALLS)
      expect(await program.child.exited).toBe(0)
    } finally {
      program.child.kill('SIGTERM')
    }
  },
)

/** Mounts a file system of 64 KiB; undefined: that is not allowed here. */
async function mountSmall(): Promise<{ readonly path: string; readonly release: () => Promise<void> } | undefined> {
  const path = mkdtempSync(join(tmpdir(), 'nexcode-full-'))
  const mount = Bun.which('mount')
  const child =
    mount === null
      ? undefined
      : Bun.spawn([mount, '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { stderr: 'ignore' })
  if (child === undefined || (await child.exited) !== 0) {
    rmSync(path, { recursive: true, force: true })
    return undefined
  }
  const release = async (): Promise<void> => {
    await Bun.spawn(['umount', '-l', path]).exited
    rmSync(path, { recursive: true, force: true })
  }
  return { path, release }
}

/** Where no file system can be mounted, no disk can be full. */
const disk = await mountSmall()
afterAll(() => disk?.release())

test.skipIf(disk === undefined)(
  'a full disk stops neither the process nor the log: no line is torn, and what waited is written when there is room',
  async () => {
    if (disk === undefined) return
    const port = await freePort()
    const path = join(disk.path, 'log')
    writeFileSync(join(disk.path, 'fill'), 'x'.repeat(40_000))
    const child = Bun.spawn(gatewayCommand(), {
      env: { PATH: process.env['PATH'] ?? '', ...(await envFor(port)) },
      stdout: openSync(path, 'a'),
      stderr: 'inherit',
    })
    try {
      await within(AT_ONCE_MS, 'the start', listening(port))
      await callOften(port, 100, 'before')
      // The lines have been held back, and did not fit.
      await Bun.sleep(300)
      rmSync(join(disk.path, 'fill'))
      await callOften(port, 5, 'after')
      child.kill('SIGTERM')
      expect(await within(AT_ONCE_MS, 'the end', child.exited)).toBe(0)
      const lines = readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { client_request_id?: string; msg: string })
      const ids = lines
        .filter(({ msg }) => msg === 'exchange')
        .map(({ client_request_id }) => client_request_id?.split('.')[0])
      expect(ids).toEqual([
        ...Array.from({ length: 100 }, (_one, n) => `before${n}`),
        ...Array.from({ length: 5 }, (_one, n) => `after${n}`),
      ])
      expect(lines.at(-1)?.msg).toBe('stopped')
    } finally {
      child.kill('SIGKILL')
    }
  },
)
