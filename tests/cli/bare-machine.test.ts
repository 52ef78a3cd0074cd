import { expect, setDefaultTimeout, test } from 'bun:test'
import { freePort } from '../helpers/free-port.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

async function untilReady(url: string): Promise<number> {
  for (;;) {
    const answer = await fetch(`${url}/health`).catch(() => undefined)
    if (answer !== undefined) return answer.status
    await Bun.sleep(20)
  }
}

test.each(['1', '2'])(
  'a server without standard input, output and error serves, and ends well (WORKERS=%s)',
  async (workers) => {
    const port = await freePort()
    const command = ['bash', '-c', 'exec "$@" <&- >&- 2>&-', 'bash', ...gatewayCommand()]
    const env = { PATH: process.env['PATH'] ?? '', HOST: '127.0.0.1', PORT: String(port), WORKERS: workers }
    const child = Bun.spawn(command, { env: { ...env, OPENAI_API_BASE: 'http://127.0.0.1:1/v1' } })
    expect(await untilReady(`http://127.0.0.1:${port}`)).toBe(200)
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
  },
)

test('a server needs neither a home nor a folder for temporary files', async () => {
  const gateway = await startGateway({
    env: {
      OPENAI_API_BASE: 'http://127.0.0.1:1/v1',
      HOME: '/dev/null/home',
      TMPDIR: '/dev/null/tmp',
    },
    command: gatewayCommand(),
  })
  expect(await untilReady(gateway.url)).toBe(200)
  expect(gateway.stderr()).toBe('')
  await gateway.stop()
})
