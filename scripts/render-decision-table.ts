import { readdirSync, readFileSync } from 'node:fs'

const FOLDER = new URL('../docs/adr/', import.meta.url)
const FILE = /^(\d{4})-[a-z0-9-]+\.md$/
const PAGE = /^# (\d+)\. (.+)\n\nStatus: (accepted|superseded)/

/**
 * The decisions by their numbers, as a Markdown table for docs/adr/README.md. Throws where two have one number, or where a page
 * has no number, title or status.
 *
 * @example
 * const table = renderDecisionTable()
 */
export function renderDecisionTable(): string {
  const files = readdirSync(FOLDER)
    .filter((file) => file !== 'README.md')
    .toSorted()
  const numbers = files.map((file) => Number(FILE.exec(file)?.[1]))
  const odd = files.find((_file, index) => numbers[index] !== index + 1)
  if (odd !== undefined)
    throw new Error(`docs/adr/${odd} is not the next number: two decisions have one, or one is missing.`)
  return ['| | Decision |\n', '|---|---|\n', ...files.map(rowOf)].join('')
}

function rowOf(file: string): string {
  const [, number, title, status] = PAGE.exec(readFileSync(new URL(file, FOLDER), 'utf8')) ?? []
  if (Number(number) !== Number(file.slice(0, 4))) {
    throw new Error(
      `docs/adr/${file} does not begin with "# NUMBER. TITLE", an empty line and "Status: accepted" or "superseded".`,
    )
  }
  return `| ${number} | [${title}](${file})${status === 'superseded' ? ' (superseded)' : ''} |\n`
}
