import { expect, test } from 'bun:test'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import packageJson from '../package.json' with { type: 'json' }

const ROOT = new URL('..', import.meta.url).pathname
const SCRIPTS: Readonly<Record<string, string>> = packageJson.scripts

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const filesOf = (...places: readonly string[]): string[] =>
  places.flatMap((place) => [...new Bun.Glob(place).scanSync({ cwd: ROOT, dot: true })]).toSorted()

test('each script that a document, an editor or the workflow names is in package.json', () => {
  const files = filesOf('*.md', 'docs/**/*.md', '.github/**/*', '.vscode/*.json', '.ci/run')
  const named = files.flatMap((file) =>
    [...read(file).matchAll(/\b(?:npm|bun) run ([a-z][\w:-]*)|"script": "([^"]+)"/g)].map(([, run, task]) => ({
      file,
      script: run ?? task ?? '',
    })),
  )
  expect(named).toContainEqual({ file: '.vscode/tasks.json', script: 'build' })
  expect(named).toContainEqual({ file: 'docs/debugging.md', script: 'dev' })
  expect(named.filter(({ script }) => !(script in SCRIPTS))).toEqual([])
})

test('each script that a person starts in a fresh clone installs what is missing first', () => {
  const forPeople = [
    'start',
    'dev',
    'demo',
    'test',
    'test:watch',
    'test:quick',
    'test:hardening',
    'build',
    'ok',
    'trace',
  ]
  expect(forPeople.filter((name) => SCRIPTS[`pre${name}`] !== SCRIPTS['setup'])).toEqual([])
})

test('the workflow calls .ci/run and may do nothing else: it reads, and its actions have a version', () => {
  const workflow = parse(read('.github/workflows/ci.yml')) as {
    readonly permissions: unknown
    readonly jobs: Readonly<
      Record<string, { readonly steps: readonly { readonly uses?: string; readonly run?: string }[] }>
    >
  }
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps)
  expect(steps.flatMap(({ run }) => run ?? [])).toEqual([expect.stringMatching(/(^| )\.ci\/run$/)])
  expect(() => accessSync(join(ROOT, '.ci/run'), constants.X_OK)).not.toThrow()
  expect(workflow.permissions).toEqual({ contents: 'read' })
  expect(Object.keys(workflow.jobs).filter((name) => 'permissions' in (workflow.jobs[name] ?? {}))).toEqual([])
  const actions = steps.flatMap(({ uses }) => uses ?? [])
  expect(actions.filter((action) => !/^actions\/[\w-]+@(?:v\d+|[0-9a-f]{40})$/.test(action))).toEqual([])
})

test('the forms for issues have names, texts and ids as GitHub wants them', () => {
  const forms = filesOf('.github/ISSUE_TEMPLATE/*.yml').filter((file) => !file.endsWith('config.yml'))
  expect(forms.length).toBeGreaterThan(1)
  for (const form of forms) {
    const { name, description, body } = parse(read(form)) as {
      readonly name: string
      readonly description: string
      readonly body: readonly {
        readonly type: string
        readonly id?: string
        readonly attributes: { readonly label?: string }
      }[]
    }
    expect([name, description].filter((text) => text.length === 0)).toEqual([])
    const fields = body.filter(({ type }) => type !== 'markdown')
    expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length)
    expect(fields.filter(({ attributes }) => attributes.label === undefined)).toEqual([])
  }
})

test('what the editor starts is there, and the editor formats as the linter does', () => {
  const launch = JSON.parse(read('.vscode/launch.json')) as {
    readonly configurations: readonly { readonly name: string; readonly program: string; readonly runtime: string }[]
  }
  expect(launch.configurations.map(({ name }) => name)).toEqual(['Gateway', 'Demo', 'This test file'])
  const paths = launch.configurations.flatMap(({ program, runtime }) => [program, runtime])
  const ours = paths
    .filter((path) => !/^\$\{file\}$/.test(path))
    .map((path) => path.replace(/^\$\{workspaceFolder\}/, ROOT))
  expect(ours.filter((path) => !existsSync(path))).toEqual([])
  const recommended = (JSON.parse(read('.vscode/extensions.json')) as { readonly recommendations: readonly string[] })
    .recommendations
  const { formatter } = JSON.parse(read('biome.json')) as {
    readonly formatter: { readonly indentWidth: number; readonly lineWidth: number }
  }
  expect(recommended).toContain('biomejs.biome')
  expect(read('.editorconfig')).toContain(`indent_size = ${formatter.indentWidth}\n`)
  expect(read('.editorconfig')).toContain(`max_line_length = ${formatter.lineWidth}\n`)
})
