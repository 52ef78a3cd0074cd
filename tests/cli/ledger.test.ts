import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../helpers/run-program.ts'

setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), 'nexcode-transfer-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const ledgerAt = (name: string) => ({ LEDGER: `sqlite:${join(folder, name)}` })

test('a ledger is exported without a secret, and another one takes it, twice as once', async () => {
  const created = await runProgram(['keys', 'create', '--name', 'alice', '--budget', '5/month'], ledgerAt('one.db'))
  const secret = /sk-nex-\w+/.exec(created.stdout)?.[0] ?? 'no key was made'
  const { code, stdout } = await runProgram(['ledger', 'export'], ledgerAt('one.db'))
  expect(code).toBe(0)
  expect(stdout).toContain('"name":"alice"')
  expect(stdout).not.toContain(secret)
  const file = join(folder, 'export.jsonl')
  writeFileSync(file, stdout)
  for (let times = 0; times < 2; times += 1) {
    const taken = await runProgram(['ledger', 'import', file], ledgerAt('other.db'))
    expect(taken).toMatchObject({ code: 0, stderr: '' })
  }
  expect((await runProgram(['ledger', 'export'], ledgerAt('other.db'))).stdout).toBe(stdout)
})

test('of an export that is cut off or changed nothing is taken', async () => {
  await runProgram(['keys', 'create', '--name', 'alice'], ledgerAt('whole.db'))
  const { stdout } = await runProgram(['ledger', 'export'], ledgerAt('whole.db'))
  const file = join(folder, 'broken.jsonl')
  const lines = stdout.trimEnd().split('\n')
  const empty = (await runProgram(['ledger', 'export'], ledgerAt('empty.db'))).stdout
  for (const [broken, wrong] of [
    [stdout.slice(0, stdout.length - 200), 'is no JSON'],
    [`${lines.slice(0, -1).join('\n')}\n`, 'it is cut off'],
    [stdout.replace('"alice"', '"alicf"'), 'a line was changed'],
    [
      [...lines.slice(0, 2), ...lines.slice(3)].join('\n'),
      `${lines.length - 1} lines were written, and ${lines.length - 2} are there`,
    ],
    [`${stdout}{}\n`, 'stands behind its end'],
  ] as const) {
    writeFileSync(file, broken)
    const taken = await runProgram(['ledger', 'import', file], ledgerAt('empty.db'))
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining(wrong)])
  }
  expect((await runProgram(['ledger', 'export'], ledgerAt('empty.db'))).stdout).toBe(empty)
})

test('what is no export is refused, with the line that is wrong', async () => {
  const file = join(folder, 'wrong.jsonl')
  writeFileSync(file, '{"nexcode_ledger":1}\nno json\n')
  const taken = await runProgram(['ledger', 'import', file], ledgerAt('third.db'))
  expect(taken.code).toBe(1)
  expect(taken.stderr).toContain('line 2 is no JSON')
  writeFileSync(file, '{"id":1}\n')
  const other = await runProgram(['ledger', 'import', file], ledgerAt('third.db'))
  expect(other.stderr).toContain('it is no export of a ledger of this version')
})

test('without a ledger that others can see there is nothing to export', async () => {
  expect(await runProgram(['ledger', 'export'], { LEDGER: 'memory' })).toMatchObject({ code: 2, stdout: '' })
  expect(await runProgram(['ledger', 'import'], ledgerAt('one.db'))).toMatchObject({ code: 2, stdout: '' })
})
