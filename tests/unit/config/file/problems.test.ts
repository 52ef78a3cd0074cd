import { expect, test } from 'bun:test'
import { renderPath } from '../../../../src/config/file/path.ts'
import { renderFileProblems } from '../../../../src/config/file/problems.ts'
import { loadSettings } from '../../../../src/config/load-settings.ts'
import { BASE, linesOf, problemsOf } from '../load-file.ts'

const FILE = `default_upstream: opnai
models:
  smart:
    targets:
      - upstream: openai
        modle: gpt-4o
    strategy: best
upstreams:
  openai:
    preset: openai
    api_key: k
    timeout: 5s
params:
  - match: { model: smart }
`

test('all problems come at once, in the order of the file', () => {
  expect(linesOf(FILE)).toEqual([
    '1:19 default_upstream "opnai" is no upstream | Did you mean "openai"?',
    '6:9 models.smart.targets[0].modle is not known here | Did you mean "model"?',
    '7:15 models.smart.strategy "best" is not known here | Known here: order, weighted, round_robin, least_busy, affinity.',
    '12:5 upstreams.openai.timeout is not known here | Did you mean "timeouts"?',
    '14:5 params[0] does nothing | Give it one of defaults, overrides, clamp, drop, rename, require, deny, allow, values; or take it out.',
  ])
})

test('a problem is shown in two lines: where and what, and the cure', () => {
  const loaded = loadSettings(
    { path: 'conf/nexcode.yaml', text: 'retri: {}' },
    { env: {}, readFile: () => '', base: BASE },
  )
  expect(loaded.ok ? '' : renderFileProblems(loaded.problems)).toBe(
    'conf/nexcode.yaml:1:1 retri is not known here.\n  Did you mean "retry"?\n',
  )
})

test('a problem of the whole file is said of the file', () => {
  expect(renderFileProblems(problemsOf('- a'))).toBe(
    '/etc/nexcode.yaml:1:1 The file is a list, where a map belongs.\n  Write its keys below it, indented, such as debug_headers.\n',
  )
  expect(renderFileProblems([])).toBe('')
})

test.each<[path: (string | number)[], text: string]>([
  [[], ''],
  [['models', 'smart', 'targets', 0, 'upstream'], 'models.smart.targets[0].upstream'],
  [['models', 'gpt-4.1', 'targets'], 'models["gpt-4.1"].targets'],
  [['models', '', 'targets'], 'models[""].targets'],
  [['models', 'groq/*'], 'models["groq/*"]'],
  [['sk-123', 'x'], '[…].x'],
  [['models', 'x'.repeat(65)], 'models[…]'],
  [['a\u001b[31m'], '[a?[31m]'],
])('the path %j reads %s', (path, text) => {
  expect(renderPath(path)).toBe(text)
})
