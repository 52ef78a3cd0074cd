import { readFileSync, writeFileSync } from 'node:fs'
import { renderFileReference } from '../src/config/file/schema.ts'
import { renderEnvMarkdown } from '../src/config/help-text.ts'
import { renderErrorTable } from './render-error-table.ts'
import { renderPresetTable } from './render-preset-table.ts'

/** A part of a document that is made from the code, between `<!-- name:begin -->` and `<!-- name:end -->`. */
interface Part {
  readonly file: string
  readonly name: string
  readonly render: () => string
}

const PARTS: readonly Part[] = [
  { file: 'docs/configuration.md', name: 'env', render: renderEnvMarkdown },
  { file: 'docs/configuration.md', name: 'file', render: renderFileReference },
  { file: 'docs/errors.md', name: 'errors', render: renderErrorTable },
  { file: 'docs/routing.md', name: 'presets', render: renderPresetTable },
]

/** Puts a part into its document, between its two markers; throws where they are not there. */
function replacePart(document: string, part: Part): string {
  const begin = `<!-- ${part.name}:begin -->\n`
  const end = `<!-- ${part.name}:end -->`
  const from = document.indexOf(begin)
  const to = document.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`${part.file} lacks the markers of "${part.name}"`)
  return `${document.slice(0, from + begin.length)}${part.render()}${document.slice(to)}`
}

const isCheck = process.argv.includes('--check')
for (const part of PARTS) {
  const url = new URL(`../${part.file}`, import.meta.url)
  const written = readFileSync(url, 'utf8')
  const wanted = replacePart(written, part)
  if (written === wanted) continue
  if (isCheck) {
    process.stderr.write(`${part.file} is out of step with the code; run: bun scripts/write-docs.ts\n`)
    process.exitCode = 1
  } else {
    writeFileSync(url, wanted)
    process.stdout.write(`${part.file} written\n`)
  }
}
