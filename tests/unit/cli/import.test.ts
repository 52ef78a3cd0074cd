import { afterAll, afterEach, beforeEach, expect, spyOn, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importConfiguration } from '../../../src/cli/import.ts'

const folder = mkdtempSync(join(tmpdir(), 'nexcode-import-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let stdout = ''
let stderr = ''
const spies: { readonly mockRestore: () => void }[] = []
beforeEach(() => {
  stdout = ''
  stderr = ''
  spies.push(
    spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += String(text)
      return true
    }),
    spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += String(text)
      return true
    }),
  )
})
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore()
})

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('a LiteLLM configuration goes to stdout as nexcode.yaml, and what it lacks to stderr', async () => {
  const text = 'model_list: [{ model_name: a, litellm_params: { model: openai/a, api_key: sk-secret, rpm: 1 } }]'
  expect(await importConfiguration(['litellm', write('config.yaml', text)])).toBe(0)
  expect(stdout).toStartWith('# yaml-language-server: $schema=./nexcode.schema.json\n')
  expect(stdout).toContain('    preset: openai\n')
  expect(stderr).toContain('(2):\n')
  expect(stderr).toContain('  model_list[0].litellm_params.api_key: is not copied')
  expect(stdout + stderr).not.toContain('sk-secret')
})

test('one that is translated as a whole has nothing on stderr', async () => {
  const text = 'model_list: [{ model_name: a, litellm_params: { model: openai/a, api_key: os.environ/K } }]'
  expect(await importConfiguration(['litellm', write('whole.yaml', text)])).toBe(0)
  expect(stderr).toBe('')
})

test('what is missing, or no LiteLLM configuration, is refused with 2, and nothing is on stdout', async () => {
  expect(await importConfiguration(['litellm', join(folder, 'none.yaml')])).toBe(2)
  expect(stderr).toContain("none.yaml can't be read: there is no such file or folder (ENOENT)")
  expect(await importConfiguration(['litellm', write('other.yaml', 'services: {}')])).toBe(2)
  expect(stderr).toContain('other.yaml: it has no model_list')
  expect(stdout).toBe('')
})

test.each([[[]], [['litellm']], [['litellm', 'a', 'b']], [['portkey', 'a']]])(
  'arguments that are not as they should be, %j, are refused with what there is',
  async (args) => {
    expect(await importConfiguration(args)).toBe(2)
    expect(stderr).toContain('litellm')
    expect(stdout).toBe('')
  },
)
