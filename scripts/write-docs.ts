import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { jsonSchema, renderFileReference } from '../src/config/file-schema.ts'
import { renderEnvMarkdown } from '../src/config/help-text.ts'
import { renderTypesFile } from '../src/extensions/load/types-file.ts'
import { renderCapWords } from './render-cap-words.ts'
import { renderDecisionTable } from './render-decision-table.ts'
import { renderEndpointTable } from './render-endpoint-table.ts'
import { renderErrorTable } from './render-error-table.ts'
import { renderPresetTable, renderServerFacts } from './render-preset-table.ts'
import { renderPromiseTable } from './render-promise-table.ts'

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
  { file: 'docs/keys-and-budgets.md', name: 'endpoints', render: renderEndpointTable },
  { file: 'docs/routing.md', name: 'presets', render: renderPresetTable },
  { file: 'docs/presets.md', name: 'facts', render: renderServerFacts },
  { file: 'docs/parameters.md', name: 'cap-words', render: renderCapWords },
  { file: 'docs/reliability.md', name: 'promises', render: renderPromiseTable },
  { file: 'docs/adr/README.md', name: 'decisions', render: renderDecisionTable },
]

/** Files that are made from the code as a whole. */
const WHOLE: readonly { readonly file: string; readonly render: () => string | Promise<string> }[] = [
  // What `nexcode schema` prints: editors find it beside the examples.
  { file: 'examples/nexcode.schema.json', render: () => `${JSON.stringify(jsonSchema(), null, 2)}\n` },
  // What `nexcode init extension` writes.
  { file: 'examples/extensions/nexcode.d.ts', render: renderTypesFile },
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

/** Writes a file that is out of step with the code, or says that it is. */
function keepInStep(file: string, wantedFrom: (written: string) => string): void {
  const url = new URL(`../${file}`, import.meta.url)
  const written = existsSync(url) ? readFileSync(url, 'utf8') : ''
  const wanted = wantedFrom(written)
  if (written === wanted) return
  if (isCheck) {
    process.stderr.write(`${file} is out of step with the code; run: bun scripts/write-docs.ts\n`)
    process.exitCode = 1
    return
  }
  writeFileSync(url, wanted)
  process.stdout.write(`${file} written\n`)
}

for (const part of PARTS) keepInStep(part.file, (written) => replacePart(written, part))
for (const { file, render } of WHOLE) {
  const wanted = await render()
  keepInStep(file, () => wanted)
}
