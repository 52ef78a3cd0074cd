import { expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { ENV, ENV_ROWS } from '../../../src/config/env.ts'
import { renderConfigProblems, renderEnvHelp, renderEnvMarkdown } from '../../../src/config/help-text.ts'
import { loadProblems } from './load-with-files.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

test('every row is named as its key, once, and says what it means in one line', () => {
  expect(ENV_ROWS.map((row) => row.name)).toEqual(Object.keys(ENV))
  for (const row of ENV_ROWS) {
    expect(row.doc).toMatch(/^[^\n|]+\.$/)
    expect(row.example).toMatch(/^[^\n|`]+$/)
  }
})

test('--help names every variable with its meaning, in at most 100 columns', () => {
  const lines = renderEnvHelp().split('\n')
  const names = lines.flatMap((line) => /^ {2}(\w+)/.exec(line)?.[1] ?? [])
  expect(names).toEqual(ENV_ROWS.map((row) => row.name))
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100)
  const text = lines.map((line) => line.trim()).join(' ')
  for (const row of ENV_ROWS) expect(text).toContain(`${row.doc} Default: `)
})

test('--help writes each default as a person would', () => {
  const text = renderEnvHelp().replaceAll(/\s+/g, ' ')
  for (const words of ['Default: 64MiB.', 'Default: 1GiB.', 'Default: pretty on a terminal, else json.']) {
    expect(text).toContain(words)
  }
  expect(text).not.toContain('undefined')
})

test('the table of docs/configuration.md is in step with the code', async () => {
  const document = await Bun.file(`${ROOT}/docs/configuration.md`).text()
  expect(document).toContain(`<!-- env:begin -->\n${renderEnvMarkdown()}<!-- env:end -->`)
  const check = Bun.spawnSync([process.execPath, 'scripts/write-docs.ts', '--check'], { cwd: ROOT })
  expect(check.exitCode).toBe(0)
})

test('the table has a row of six cells for every variable', () => {
  const rows = renderEnvMarkdown().trimEnd().split('\n').slice(2)
  expect(rows.map((row) => row.split(' | ')[0])).toEqual(ENV_ROWS.map((row) => `| \`${row.name}\``))
  for (const row of rows) expect(row.split('|')).toHaveLength(8)
})

test('docs/configuration.md mentions every variable that the runtime reads beside ours', async () => {
  const document = await Bun.file(`${ROOT}/docs/configuration.md`).text()
  const names = ['HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS', 'BUN_CONFIG_MAX_HTTP_REQUESTS']
  for (const name of names) expect(document).toContain(`\`${name}\``)
})

test('a problem is shown in three lines: what is wrong, the cure, and a line that would be right', () => {
  expect(renderConfigProblems(loadProblems({ PORT: 'abc', DEBUG_HEADERS: '2' }))).toBe(
    [
      'PORT "abc" is not a whole number.',
      '  Use a number from 0 to 65535, in digits only.',
      '  e.g. PORT=8000',
      'DEBUG_HEADERS "2" is neither true nor false.',
      '  Use true or false (or 1 and 0, yes and no, on and off).',
      '  e.g. DEBUG_HEADERS=true',
      '',
    ].join('\n'),
  )
})
