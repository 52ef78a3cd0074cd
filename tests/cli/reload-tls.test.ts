import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { makeSelfSigned, type SelfSigned } from '../helpers/self-signed.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

let upstream: ScriptedUpstream
let first: SelfSigned
let second: SelfSigned
beforeAll(async () => {
  upstream = await startScriptedUpstream((_request, connection) => connection.json({ ok: true }))
  first = makeSelfSigned()
  second = makeSelfSigned()
})
afterAll(async () => {
  await upstream.close()
  first.remove()
  second.remove()
})

let folder = ''
let gateway: TestGateway | undefined
const sockets: TLSSocket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await gateway?.stop()
  gateway = undefined
  rmSync(folder, { recursive: true, force: true })
})

async function start(env: Env = {}) {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-tls-reload-'))
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  const put = ({ certFile: cert, keyFile: key }: SelfSigned): void => {
    copyFileSync(cert, certFile)
    copyFileSync(key, keyFile)
  }
  put(first)
  gateway = await startGateway({
    env: {
      ...{ OPENAI_API_BASE: `${upstream.url}/v1`, TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, ...env },
    },
    command: gatewayCommand(),
  })
  return { ...watchReloads(gateway), port: gateway.port, put, certFile, keyFile }
}

/** A connection over TLS: the certificate that it was shown, and requests on it. */
async function open(port: number) {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  sockets.push(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  const shown = socket.getPeerCertificate().raw.toString('base64')
  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      socket.once('data', (bytes) => resolve(String(bytes).split('\r\n', 1)[0] ?? ''))
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('closed')))
      socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')
    })
  return { shown, ask }
}

function derOf({ cert }: SelfSigned): string {
  return cert.replace(/-----[^-]+-----|\s/g, '')
}

test('a new certificate is shown to new connections, those that there are go on, and none waits for a restart', async () => {
  const { port, put, reloaded, hangUp } = await start()
  const old = await open(port)
  expect(old.shown).toBe(derOf(first))
  expect(await old.ask()).toBe('HTTP/1.1 200 OK')

  put(second)
  expect(await reloaded(1)).toMatchObject({
    read: [expect.stringContaining('TLS_CERT_FILE'), expect.stringContaining('TLS_KEY_FILE')],
  })
  for (let n = 0; n < 20; n += 1) {
    const one = await open(port)
    expect(one.shown).toBe(derOf(second))
    expect(await one.ask()).toBe('HTTP/1.1 200 OK')
  }
  expect(await old.ask()).toBe('HTTP/1.1 200 OK')

  put(first)
  await hangUp()
  expect((await open(port)).shown).toBe(derOf(first))
})

test('a certificate that does not fit its key is refused, until both are there; so is a damaged or an empty one', async () => {
  const { port, refused, reloaded, certFile, keyFile, counts } = await start()
  copyFileSync(second.certFile, certFile)
  expect(await refused(1)).toMatchObject({ problems: [expect.stringContaining('do not belong together')] })
  expect((await open(port)).shown).toBe(derOf(first))
  copyFileSync(second.keyFile, keyFile)
  await reloaded(1)
  expect((await open(port)).shown).toBe(derOf(second))
  writeFileSync(certFile, second.cert.slice(0, 200))
  await refused(2)
  writeFileSync(keyFile, '')
  expect(await refused(3)).toMatchObject({
    problems: [expect.stringContaining('TLS_KEY_FILE names an empty file')],
  })
  expect((await open(port)).shown).toBe(derOf(second))
  expect(counts().reloaded).toBe(1)
})

test('with WORKERS=2 each of them shows the new certificate', async () => {
  const { port, put, reloaded } = await start({ WORKERS: '2' })
  expect((await open(port)).shown).toBe(derOf(first))
  put(second)
  await reloaded(1)
  // Each hears of it in its own time.
  for (let inARow = 0; inARow < 20; ) inARow = (await open(port)).shown === derOf(second) ? inARow + 1 : 0
})

test('a port that another server holds is not shared with it, also where a certificate is served', async () => {
  const { port, certFile, keyFile } = await start()
  const env = { PORT: String(port), TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }
  const failed = await startGateway({ env, command: gatewayCommand() }).then(
    () => 'it listens',
    (cause: unknown) => String(cause),
  )
  expect(failed).toContain(`port ${port} is in use`)
})
