import { describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BINARY, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { preparePython } from '../helpers/python.ts'

const EXAMPLES = new URL('../../examples/testing/', import.meta.url).pathname
const RUN_MS = 60_000

const python = await preparePython()
if ('missing' in python) process.stderr.write(`(skip) the example with pytest: ${python.missing}\n`)

/** Runs an example's own tests as its reader does, and gives what they print. */
async function runExample(
  folder: string,
  command: readonly string[],
  nexcode = BINARY,
): Promise<{ code: number; printed: string }> {
  const { OPENAI_API_KEY: _, RECORD: __, ...env } = process.env
  const child = Bun.spawn([...command], {
    cwd: `${EXAMPLES}${folder}`,
    env: { ...env, PYTHONDONTWRITEBYTECODE: '1', ...(nexcode !== undefined && { NEXCODE: nexcode }) },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, printed: out + err }
}

/** NexCode as it is on a machine that is busy, or with requests to end: it still has something to say when it is told to stop. */
function talkative(python: string): string {
  return `#!${python}
import signal, subprocess, sys, time
child = subprocess.Popen(${JSON.stringify(gatewayCommand())} + sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
child.wait()
for n in range(20):
    print('{"msg":"still here"}', flush=True)
    time.sleep(0.02)
`
}

describe('the example of an AI program that is tested offline', () => {
  test.skipIf('missing' in python)(
    'passes its four tests with pytest, without a key',
    async () => {
      const executable = 'executable' in python ? python.executable : ''
      const { code, printed } = await runExample('pytest', [executable, '-m', 'pytest', '-p', 'no:cacheprovider'])
      expect(printed).toContain('4 passed')
      expect(code).toBe(0)
    },
    RUN_MS,
  )

  test.skipIf('missing' in python)(
    'ends with pytest without a word more, also where the server has a last one',
    async () => {
      const executable = 'executable' in python ? python.executable : ''
      const folder = mkdtempSync(join(tmpdir(), 'nexcode-talkative-'))
      const nexcode = join(folder, 'nexcode')
      writeFileSync(nexcode, talkative(executable))
      chmodSync(nexcode, 0o755)
      const { code, printed } = await runExample(
        'pytest',
        [executable, '-m', 'pytest', '-p', 'no:cacheprovider'],
        nexcode,
      )
      rmSync(folder, { recursive: true })
      expect(printed).not.toMatch(/Traceback|Warning/)
      expect(printed).toContain('4 passed')
      expect(code).toBe(0)
    },
    RUN_MS,
  )

  test(
    'passes its four tests with bun:test, without a key',
    async () => {
      const { code, printed } = await runExample('bun', [process.execPath, 'test'])
      expect(printed).toContain('4 pass')
      expect(code).toBe(0)
    },
    RUN_MS,
  )
})
