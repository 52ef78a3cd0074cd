import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../helpers/free-port.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, type RawResponse, sendRaw } from '../helpers/raw-client.ts'
import { programEnv, runProgram } from '../helpers/run-program.ts'
import { type StreamingUpstream, startStreamingUpstream, startWorkers } from '../helpers/workers.ts'

setDefaultTimeout(60_000)

let streams: StreamingUpstream
let folder: string
beforeAll(async () => {
  streams = await startStreamingUpstream()
  folder = mkdtempSync(join(tmpdir(), 'nexcode-workers-'))
})
afterAll(async () => {
  await streams.upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

const inUse = (port: number): string =>
  `nexcode: port ${port} is in use on 127.0.0.1. Stop the program that holds it, or set PORT to another one (PORT=0 takes any free one).\n`

describe('several workers that cannot start say why once, in one clear line', () => {
  test('a port that another program holds', async () => {
    const { port } = streams.upstream
    const { code, stdout, stderr } = await runProgram([], { HOST: '127.0.0.1', PORT: String(port), WORKERS: '2' })
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: inUse(port) })
  })

  test('a port that the workers of another server share among themselves, whether with one worker or several', async () => {
    const first = await startWorkers(streams)
    for (const workers of ['1', '2']) {
      const env = { HOST: '127.0.0.1', PORT: String(first.port), WORKERS: workers }
      const { code, stdout, stderr } = await runProgram([], env)
      expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: inUse(first.port) })
    }
    await first.stop()
  })

  test('what only a worker finds out: a certificate that is none', async () => {
    const port = await freePort()
    const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
    writeFileSync(cert, '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n')
    writeFileSync(key, '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n')
    const env = { HOST: '127.0.0.1', PORT: String(port), WORKERS: '2', TLS_CERT_FILE: cert, TLS_KEY_FILE: key }
    const { code, stdout, stderr } = await runProgram([], env)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^nexcode: cannot listen on 127\.0\.0\.1:\d+: .*\n$/)
  })

  test.each(['0', '65', '-1', '1.5', 'many'])('WORKERS=%s', async (workers) => {
    const { code, stdout, stderr } = await runProgram([], { HOST: '127.0.0.1', PORT: '0', WORKERS: workers })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(
      /^WORKERS ".*" is .*\.\n {2}Use a number from 1 to 64, or auto for one worker a core\.\n {2}e\.g\. WORKERS=auto\n$/,
    )
  })

  test('several values that are not valid: each once, not once a worker', async () => {
    const { code, stderr } = await runProgram([], { WORKERS: '2', PORT: 'eight', LOG_LEVEL: 'loud' })
    expect(code).toBe(2)
    expect(stderr.match(/e\.g\./g)).toHaveLength(2)
  })
})

test('a fixed port is shared by all of them', async () => {
  const port = await freePort()
  const gateway = await startWorkers(streams, { PORT: String(port), WORKERS: '3' })
  expect(gateway.port).toBe(port)
  expect(gateway.lines[0]).toMatchObject({ workers: 3 })
  await gateway.stop()
})

test('a marker that was set by somebody else makes nobody a worker', async () => {
  const gateway = await startWorkers(streams, { NEXCODE_WORKER: '1', WORKERS: '1' })
  expect(gateway.lines[0]).not.toHaveProperty('worker')
  await gateway.stop()
})

test('the lines of all of them come whole, also where the reader of the log is slow', async () => {
  const fifo = join(folder, 'log')
  expect(Bun.spawnSync(['mkfifo', fifo]).success).toBe(true)
  // Open, so that the workers can write; not read, so that what they write soon fills the pipe.
  const held = openSync(fifo, 'r+')
  const port = await freePort()
  const child = Bun.spawn(gatewayCommand(), {
    env: programEnv({
      HOST: '127.0.0.1',
      PORT: String(port),
      WORKERS: '2',
      OPENAI_API_BASE: `${streams.upstream.url}/v1`,
    }),
    stdout: held,
  })
  const get = (target: string): Promise<RawResponse | undefined> =>
    sendRaw(port, getText(target, { Authorization: 'Bearer sk-mine' })).catch(() => undefined)
  while ((await get('/ready'))?.status !== 200) await Bun.sleep(20)
  const count = 2_000
  for (let n = 0; n < count; n += 20) await Promise.all(Array.from({ length: 20 }, () => get('/v1/models')))
  const reader = Bun.spawn(['dd', `if=${fifo}`, 'bs=512'], { stdout: 'pipe', stderr: 'ignore' })
  child.kill('SIGTERM')
  let text = ''
  for await (const chunk of reader.stdout.pipeThrough(new TextDecoderStream())) {
    // There is another reader now.
    if (text === '') closeSync(held)
    text += chunk
  }
  expect(await child.exited).toBe(0)
  // A line that came between the halves of another could not be read.
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const exchanges = lines.filter(({ route }) => route === 'models')
  expect(exchanges).toHaveLength(count)
  expect(new Set(exchanges.map(({ worker }) => worker))).toEqual(new Set([1, 2]))
})
