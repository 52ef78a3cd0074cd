import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../helpers/run-program.ts'

setDefaultTimeout(60_000)

const cleanUps: (() => unknown)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

const FILE = `
upstreams:
  openai: { preset: openai, api_key: k }
  box: { base_url: "http://127.0.0.1:9/v1" }
models:
  smart: { targets: [{ upstream: openai, model: gpt-4o }, { upstream: box, model: own }] }
prices:
  box/own: { input: 1.5, output: 3 }
  box/*: { free: true }
`

function show(args: readonly string[], file = FILE) {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-prices-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'nexcode.yaml')
  writeFileSync(config, file)
  return runProgram(['prices', 'show', ...args, '--config', config])
}

describe('nexcode prices show', () => {
  test('a model: a table in dollars for each upstream that has it', async () => {
    const { code, stdout: out } = await show(['gpt-4o-mini'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /^gpt-4o-mini at openai, as of 20\d\d-\d\d-\d\d \(LiteLLM [\d.]+ \(MIT\)\); dollars for a million tokens$/m,
    )
    expect(out).toMatch(/^ +default +batch +priority$/m)
    expect(out).toMatch(/^ {2}input +0\.15 +0\.075 +0\.25$/m)
    expect(out).toMatch(/^ {2}output +0\.6 +0\.3 +1$/m)
    expect(out).toMatch(/^ {2}web_search, for one +0\.025/m)
    expect(out).toContain('gpt-4o-mini at box: free, as prices in the file says')
  })

  test('a name of models: its targets, by the names that they have there', async () => {
    const { code, stdout: out } = await show(['smart'])
    expect(code).toBe(0)
    expect(out).toContain('gpt-4o at openai, as of')
    expect(out).toContain('own at box, as prices in the file says')
    expect(out).toMatch(/^ {2}input +1\.5$/m)
  })

  test('JSON for programs, in the form of the file', async () => {
    const { code, stdout: out } = await show(['smart', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      model: 'smart',
      targets: [
        { upstream: 'openai', provider: 'openai', model: 'gpt-4o', by: 'table', price: { input: 2.5, output: 10 } },
        { upstream: 'box', provider: null, model: 'own', by: 'file', price: { input: 1.5, output: 3 } },
      ],
    })
  })

  test('a model without a price: exit code 1, and what to do; the names that are like it', async () => {
    const {
      code,
      stdout: out,
      stderr: err,
    } = await show(['gpt-4oo'], 'upstreams: { openai: { preset: openai, api_key: k } }')
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('gpt-4oo has no price at openai.')
    expect(err).toContain('403 model_not_priced')
    expect(err).toMatch(/Names that are like it: gpt-4o,/)
    expect(err).toContain('prices: { "gpt-4oo": { free: true } }')
  })

  test('a model that another provider has a price of: that is said', async () => {
    const { code, stderr: err } = await show(
      ['claude-sonnet-4-5'],
      'upstreams: { openai: { preset: openai, api_key: k } }',
    )
    expect(code).toBe(1)
    expect(err).toContain('It has one at anthropic')
  })

  test('JSON of a model without a price says so, and the exit code, too', async () => {
    const { code, stdout: out } = await show(
      ['gpt-9', '--json'],
      'upstreams: { openai: { preset: openai, api_key: k } }',
    )
    expect(code).toBe(1)
    expect(JSON.parse(out).targets).toEqual([
      { upstream: 'openai', provider: 'openai', model: 'gpt-9', by: 'none', price: null },
    ])
  })

  test('no model is a misuse', async () => {
    const { code, stderr: err } = await show([])
    expect(code).toBe(2)
    expect(err).toContain('name a model')
  })
})
