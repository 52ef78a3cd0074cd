import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './sources.ts'

const PLACES = ['*.md', ...['docs', 'examples', 'tests', 'bench', '.github'].map((folder) => `${folder}/**/*.md`)]
const PAGES = PLACES.flatMap((place) => [...new Bun.Glob(place).scanSync({ cwd: ROOT, dot: true })])
  .filter((path) => !path.includes('node_modules/') && !path.includes('.cache/'))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
  .toSorted((a, b) => (a.path < b.path ? -1 : 1))

/** What GitHub makes of a heading. */
function anchorOf(heading: string): string {
  const plain = heading.replaceAll('`', '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return plain
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')
}

/** Whether a link of a page leads to a file, and to a heading of it where it names one. */
function leadsSomewhere(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const to = join(ROOT, path === '' ? from : join(dirname(from), path))
  if (!existsSync(to)) return false
  if (anchor === undefined || !to.endsWith('.md')) return true
  return [...readFileSync(to, 'utf8').matchAll(/^#+ (.*)$/gm)].some(([, heading = '']) => anchorOf(heading) === anchor)
}

/** The folders of src/. */
const ROOMS = [...new Bun.Glob('*/').scanSync({ cwd: join(ROOT, 'src'), onlyFiles: false })]
/** What looks like a path, and is none of the repository's: made by a program, a model's name. */
const NO_PATHS = ['bench/.cache/', 'src/openai/responses/gpt-5']

/** The paths from the top that a text names: `docs/api.md`, `tests/http/`; below src/ in backticks, `cache/keys/`. */
function pathsIn(text: string): string[] {
  const fromTop = /(?<![\w./:-])((?:src|tests|bench|scripts|docs|lint|examples)\/[\w./<>*-]*[\w>*/])/g
  const below = [...text.matchAll(/`(([a-z]+)\/[\w./<>*-]*)`/g)].filter(([, , room = '']) => ROOMS.includes(room))
  return [...[...text.matchAll(fromTop)].map(([, path = '']) => path), ...below.map(([, path = '']) => `src/${path}`)]
}

/** Whether there is a path, or one that begins so, as a test's name on the command line may. `<name>` is any. */
function isThere(path: string): boolean {
  if (existsSync(join(ROOT, path)) || NO_PATHS.includes(path)) return true
  const glob = new Bun.Glob(`${path.replaceAll(/<[^>]*>/g, '*').replace(/\/$/, '')}*`)
  return !glob.scanSync({ cwd: ROOT, onlyFiles: false, dot: true }).next().done
}

describe('documents', () => {
  test('link to files and headings that are there', () => {
    const links = PAGES.flatMap(({ path, text }) =>
      [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => ({ path, link })),
    ).filter(({ link }) => !/^[a-z]+:/.test(link))
    expect(links.length).toBeGreaterThan(50)
    expect(links.filter(({ path, link }) => !leadsSomewhere(path, link))).toEqual([])
  })

  test('are all found from the README, in both of its languages', () => {
    const pages = PAGES.map(({ path }) => path).filter((path) => /^docs\/[\w-]+\.md$/.test(path))
    expect(pages).toContain('docs/debugging.md')
    for (const readme of ['README.md', 'README.zh-CN.md']) {
      const text = PAGES.find(({ path }) => path === readme)?.text ?? ''
      expect(pages.filter((page) => !text.includes(`](${page})`))).toEqual([])
    }
  })

  test('name source files that are there: beside them, below src/, or from the top', () => {
    const named = PAGES.flatMap(({ path, text }) =>
      [...text.matchAll(/`([\w-]+(?:\/[\w.-]+)+\.(?:ts|mjs|sh|grit))`/g)].map(([, file = '']) => ({
        path,
        file,
      })),
    )
    expect(named.length).toBeGreaterThan(20)
    const there = ({ path, file }: { readonly path: string; readonly file: string }): boolean =>
      [file, join('src', file), join(dirname(path), file)].some((one) => existsSync(join(ROOT, one)))
    expect(named.filter((one) => !there(one))).toEqual([])
  })

  test('name paths that are there, files and folders', () => {
    const named = PAGES.flatMap(({ path, text }) => pathsIn(text).map((to) => ({ path, to })))
    expect(named.length).toBeGreaterThan(200)
    expect(named.filter(({ to }) => !isThere(to))).toEqual([])
    expect(pathsIn('`cache/gone/` and src/gone.ts').map(isThere)).toEqual([false, false])
  })
})
