import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { hostname, networkInterfaces } from 'node:os'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { freePort } from '../helpers/free-port.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { type ProgramEnd, runProgram } from '../helpers/run-program.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

let file: ConfigFile | undefined
afterEach(() => file?.remove())

const INTERFACE = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

/** Starts a server that is to be refused; one that starts all the same is ended, and has no code. */
async function startRefused(env: Env, args: readonly string[] = []): Promise<ProgramEnd> {
  const late = AbortSignal.timeout(20_000)
  const end = runProgram(args, { LOG_FORMAT: 'json', ...env })
  return Promise.race([
    end,
    new Promise<never>((_resolve, reject) => late.addEventListener('abort', () => reject(new Error('it started')))),
  ])
}

test('a server that inherits its clients’ OPENAI_BASE_URL does not start, and says what to do, in one process and in two', async () => {
  const PORT = String(await freePort())
  for (const WORKERS of ['1', '2']) {
    const env = { PORT, WORKERS, OPENAI_BASE_URL: `http://localhost:${PORT}/v1` }
    const { code, stderr } = await startRefused(env)
    expect([code, stderr]).toEqual([
      2,
      `OPENAI_BASE_URL is this server's own address (localhost:${PORT}): every call would come back to it.\n` +
        "  It is what this server's clients set: unset it here, or set OPENAI_API_BASE, which goes before it, to the upstream's.\n" +
        '  e.g. OPENAI_API_BASE=https://api.openai.com/v1\n',
    ])
  }
  const named = await startRefused({ PORT, OPENAI_API_BASE: `https://LOCALHOST:${PORT}` })
  expect([named.code, named.stderr.split(' ')[0]]).toEqual([2, 'OPENAI_API_BASE'])
})

test.each([
  ...['127.0.0.1', '127.1.2.3', '[::1]', '0.0.0.0', '[::]', '[::ffff:127.0.0.1]', 'api.localhost', hostname()],
  ...(INTERFACE === undefined ? [] : [INTERFACE]),
])('%s is an address of a server that listens on all of them', async (name) => {
  const PORT = String(await freePort())
  const { code, stderr } = await startRefused({ PORT, OPENAI_API_BASE: `http://${name}:${PORT}/v1` })
  expect([code, stderr.includes("is this server's own address")]).toEqual([2, true])
})

test('a port is told apart, that of the scheme too, and so is an address that only others listen on', async () => {
  const upstream = await startScriptedUpstream((_request, connection) => connection.json({}))
  const starts = [
    { OPENAI_API_BASE: `${upstream.url}/v1` },
    { OPENAI_API_BASE: 'http://127.0.0.1/v1' },
    // The same port on another address of loopback is another server's.
    { HOST: '127.0.0.2', PORT: String(upstream.port), OPENAI_API_BASE: `${upstream.url}/v1` },
    // And through a proxy it is the proxy's own.
    { OPENAI_API_BASE: 'http://localhost:PORT/v1', HTTP_PROXY: upstream.url },
  ]
  try {
    for (const env of starts) {
      const PORT = env.PORT ?? String(await freePort())
      const { OPENAI_API_BASE } = env
      const gateway = await startGateway({
        env: {
          ...env,
          PORT,
          OPENAI_API_BASE: OPENAI_API_BASE.replace('PORT', PORT),
        },
        command: gatewayCommand(),
      })
      await gateway.stop()
    }
  } finally {
    await upstream.close()
  }
})

test('an upstream of the file is refused by its name at the start, by `check`, and when the file is read again', async () => {
  const upstream = await startScriptedUpstream((_request, connection) => connection.json({}))
  const PORT = String(await freePort())
  const good = { upstreams: { near: { base_url: `${upstream.url}/v1` } } }
  const bad = { upstreams: { ...good.upstreams, looped: { base_url: `http://127.0.0.1:${PORT}/v1` } } }
  file = writeConfigFile(bad)
  const words = `upstreams.looped.base_url is this server's own address (127.0.0.1:${PORT})`
  try {
    for (const args of [[], ['check']]) {
      const { code, stderr } = await startRefused({ PORT, NEXCODE_CONFIG: file.path }, args)
      expect([code, stderr.startsWith(words)]).toEqual([2, true])
    }
    for (const WORKERS of ['1', '2']) {
      file.write(JSON.stringify(good))
      const gateway = await startGateway({
        env: { PORT, WORKERS, NEXCODE_CONFIG: file.path },
        command: gatewayCommand(),
      })
      try {
        file.write(JSON.stringify(bad))
        const { problems } = await gateway.line(({ msg }) => String(msg).startsWith('configuration not reloaded'))
        expect(String(problems)).toStartWith(words)
        expect((await fetch(`${gateway.url}/v1/files`)).status).toBe(200)
      } finally {
        await gateway.stop()
      }
    }
  } finally {
    await upstream.close()
  }
})
