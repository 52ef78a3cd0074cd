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
