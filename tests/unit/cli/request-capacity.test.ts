import { afterEach, expect, type Mock, spyOn, test } from 'bun:test'
import { raiseRequestCapacity } from '../../../src/cli/request-capacity.ts'

const VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'
const hadBefore = process.env[VARIABLE]
let execve: Mock<NonNullable<typeof process.execve>>

function run(args: readonly string[], value: string | undefined): unknown[][] {
  if (value === undefined) delete process.env[VARIABLE]
  else process.env[VARIABLE] = value
  if (process.execve === undefined) return []
  // The real one does not come back.
  execve = spyOn(process as Required<NodeJS.Process>, 'execve').mockImplementation(() => undefined as never)
  raiseRequestCapacity(args)
  return execve.mock.calls
}

afterEach(() => {
  execve?.mockRestore()
  if (hadBefore === undefined) delete process.env[VARIABLE]
  else process.env[VARIABLE] = hadBefore
})

const canReplace = process.execve !== undefined

test.skipIf(!canReplace).each([[[]], [['serve']], [['demo', '--once']]])(
  '%p starts itself anew with the limit raised and the same arguments',
  (args) => {
    const [call] = run(args, undefined)
    expect(call?.[0]).toBe(process.execPath)
    const line = call?.[1] as string[]
    expect(line.slice(line.length - args.length)).toEqual(args)
    expect(call?.[2]).toMatchObject({ [VARIABLE]: '65535', PATH: process.env['PATH'] })
  },
)

test.skipIf(!canReplace).each([[['check']], [['healthcheck']]])('%p, which sends one request, does not', (args) => {
  expect(run(args, undefined)).toEqual([])
})

test.skipIf(!canReplace)('a limit that is set stays as it is', () => {
  expect(run([], '512')).toEqual([])
})
