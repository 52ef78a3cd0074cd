import { describe, expect, test } from 'bun:test'
import { preparePython } from '../helpers/python.ts'
import { BINARY } from '../helpers/start-gateway.ts'

const EXAMPLES = new URL('../../examples/testing/', import.meta.url).pathname
const RUN_MS = 60_000

const python = await preparePython()
if ('missing' in python) process.stderr.write(`(skip) the example with pytest: ${python.missing}\n`)

/** Runs an example's own tests as its reader does, and gives what they print. */
async function runExample(folder: string, command: readonly string[]): Promise<{ code: number; printed: string }> {
  const { OPENAI_API_KEY: _, RECORD: __, ...env } = process.env
  const child = Bun.spawn([...command], {
    cwd: `${EXAMPLES}${folder}`,
    env: { ...env, PYTHONDONTWRITEBYTECODE: '1', ...(BINARY !== undefined && { NEXCODE: BINARY }) },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, printed: out + err }
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
