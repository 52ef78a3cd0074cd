import { ENV_ROWS } from './env.ts'
import type { ConfigProblem, EnvRow } from './env-reader.ts'
import { MIB } from './scalar-kinds.ts'

const WIDTH = 100

/**
 * The variables for `--help`: name, meaning, default; at most 100 columns.
 *
 * @example
 * const help = `Usage: nexcode\n\nEnvironment:\n${renderEnvHelp()}`
 */
export function renderEnvHelp(): string {
  const indent = Math.max(...ENV_ROWS.map((row) => row.name.length)) + 4
  const lines = ENV_ROWS.flatMap((row) => {
    const [first = '', ...others] = wrap([...row.doc.split(' '), `Default: ${defaultOf(row)}.`], WIDTH - indent)
    return [`  ${row.name}`.padEnd(indent) + first, ...others.map((line) => ' '.repeat(indent) + line)]
  })
  return `${lines.join('\n')}\n`
}

/**
 * One variable for `help NAME`: its meaning, its default, a line that sets it.
 *
 * @example
 * process.stdout.write(describeVariable(ENV.PORT))
 */
export function describeVariable(row: EnvRow): string {
  return `${row.name} (${row.kind.label})\n\n  ${row.doc}\n  Default: ${defaultOf(row)}.\n\n  $ ${row.name}=${row.example} nexcode\n`
}

/**
 * The variables as a Markdown table, for docs/configuration.md.
 *
 * @example
 * const table = renderEnvMarkdown()
 */
export function renderEnvMarkdown(): string {
  const head = ['Variable', 'Type', 'Default', 'Unit', 'Meaning', 'Example']
  const rows = ENV_ROWS.map((row) => {
    const isWords = row.default === undefined || isEmptyList(row.default)
    const fallback = isWords ? defaultOf(row) : `\`${defaultOf(row)}\``
    return [`\`${row.name}\``, row.kind.label, fallback, row.unit ?? '', row.doc, `\`${row.example}\``]
  })
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/**
 * Writes the problems of a configuration for a person: the fault, the cure, a line that would be right.
 *
 * @example
 * if (!loaded.ok) process.stderr.write(renderConfigProblems(loaded.problems))
 */
export function renderConfigProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(({ name, wrong, cure, example }) => `${name} ${wrong}.\n  ${cure}\n  e.g. ${example}\n`).join('')
}

function defaultOf(row: EnvRow): string {
  if (row.defaultNote !== undefined) return row.defaultNote
  if (row.default === undefined || isEmptyList(row.default)) return 'none'
  if (row.unit === 'bytes' && typeof row.default === 'number') return writeBytes(row.default)
  return String(row.default)
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function writeBytes(bytes: number): string {
  return bytes % (1024 * MIB) === 0 ? `${bytes / MIB / 1024}GiB` : `${bytes / MIB}MiB`
}

function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
