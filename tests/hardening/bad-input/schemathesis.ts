import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOpenApiDocument } from '../../../src/openai/openapi-document.ts'
import { lastLine, runTool } from '../run-tool.ts'
import type { Answer } from './judge-answer.ts'

/** The version that is run; it goes into `.cache/`, and is no dependency of ours. */
const VERSION = '4.32.5'
const VENV = new URL('../../../.cache/schemathesis/', import.meta.url).pathname
/** So many for each operation come to more than 5,000. */
const EXAMPLES = 170
const RUN_MS_MAX = 360_000

/** An answer with what was asked. */
export interface Asked {
  readonly answer: Answer
  /** In a line. */
  readonly request: string
}

/** What schemathesis asked, or why it could not be run. */
export type SchemathesisRun = { readonly asked: readonly Asked[] } | { readonly missing: string }

/** Has schemathesis make requests from our own document, valid and not, and gives all that was answered. */
export async function runSchemathesis(port: number, seed: number): Promise<SchemathesisRun> {
  const missing = await provide()
  if (missing !== undefined) return { missing }
  const folder = mkdtempSync(join(tmpdir(), 'schemathesis-'))
  try {
    const document = createOpenApiDocument({ version: '0', serverUrl: `http://127.0.0.1:${port}/v1` })
    writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document))
    const args = [
      ...[
        'run',
        join(folder, 'openapi.json'),
        '--url',
        `http://127.0.0.1:${port}/v1`,
        '--checks',
        'not_a_server_error',
      ],
      ...['--report', 'har', '--report-dir', folder, '--seed', String(seed), '--max-examples', String(EXAMPLES)],
      ...['--phases', 'examples,coverage,fuzzing', '--continue-on-failure', '--no-shrink', '--warnings', 'off'],
      ...['--suppress-health-check', 'all', '-H', 'Authorization: Bearer sk-callers-own'],
    ]
    const end = await runTool([join(VENV, 'bin/schemathesis'), ...args], { cwd: folder, msMax: RUN_MS_MAX })
    const report = readdirSync(folder).find((name) => name.startsWith('har'))
    // It ends with 1 where it has found something, which our own judgement sees as well.
    if (report === undefined || end.code > 1) return { missing: `none: it ended with ${end.code}, ${lastLine(end)}` }
    return { asked: readReport(readFileSync(join(folder, report), 'utf8')) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What of an HTTP archive is looked at. */
interface Archive {
  readonly log: {
    readonly entries: readonly {
      readonly request: {
        readonly method: string
        readonly url: string
        readonly postData?: { readonly text?: string }
      }
      readonly response: {
        readonly status: number
        readonly content: { readonly mimeType?: string; readonly text?: string; readonly encoding?: string }
      }
    }[]
  }
}

function readReport(text: string): readonly Asked[] {
  const { log } = JSON.parse(text) as Archive
  return log.entries.map(({ request, response }) => {
    const { mimeType = '', text: body = '', encoding } = response.content
    return {
      answer: {
        method: request.method,
        target: new URL(request.url).pathname,
        status: response.status,
        contentType: mimeType,
        body: encoding === 'base64' ? Buffer.from(body, 'base64').toString('utf8') : body,
      },
      request: `${request.method} ${request.url.slice(0, 300)} ${request.postData?.text?.slice(0, 300) ?? ''}`,
    }
  })
}

/** Installs it, once; a text: why that can't be. */
async function provide(): Promise<string | undefined> {
  if (existsSync(join(VENV, 'bin/schemathesis'))) return undefined
  if (Bun.which('python3') === null) return 'python3 is missing'
  const inTmp = { cwd: tmpdir(), msMax: RUN_MS_MAX }
  const made = await runTool(['python3', '-m', 'venv', VENV], inTmp)
  if (made.code !== 0) return 'python3 has no venv'
  const installed = await runTool([join(VENV, 'bin/pip'), 'install', '--quiet', `schemathesis==${VERSION}`], inTmp)
  if (installed.code === 0) return undefined
  rmSync(VENV, { recursive: true, force: true })
  return `pip can't install schemathesis: ${lastLine(installed)}`
}
