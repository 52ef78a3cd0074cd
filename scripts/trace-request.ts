/**
 * Traces one warm request of five kinds through an instrumented copy of src/, and prints how far each travels.
 *
 *   bun scripts/trace-request.ts           this checkout
 *   bun scripts/trace-request.ts <root>    another one, such as a `git worktree` of an older commit
 *   bun scripts/trace-request.ts --files   with the files that each request comes to, in their order, and the calls in each
 *
 * A call is a function that is entered. A move is a call in another file than the call before. "Exchange" and "body" count the
 * calls with such a parameter, and the files of these. Where chance chooses a target, two runs differ by a few calls.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { instrument, type TracedFunction } from './trace/instrument.ts'
import { KINDS, type Kind } from './trace/kinds.ts'
import { startUpstream } from './trace/trace-upstream.ts'
import { startTracedGateway } from './trace/traced-gateway.ts'

/** Requests before the traced one: the code is warm, and a cache has its answer. */
const WARM_UP = 5
const COLUMNS = ['calls', 'functions', 'files', 'folders + loose files', 'moves', 'exchange', 'body'] as const

async function trace(kind: Kind, copy: string, upstream: string): Promise<readonly number[]> {
  const folder = mkdtempSync(join(copy, 'run-'))
  for (const [name, text] of Object.entries(kind.files(upstream))) writeFileSync(join(folder, name), text)
  const gateway = await startTracedGateway(copy, folder, kind.env(upstream))
  const ask = async (): Promise<void> => {
    const response = await fetch(new URL('/v1/chat/completions', gateway.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-caller-00000000000000000000' },
      body: JSON.stringify(kind.body),
    })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`${kind.name}: ${response.status} ${text}`)
    await gateway.logged()
  }
  try {
    for (let count = 0; count < WARM_UP; count += 1) await ask()
    await gateway.recorder('start')
    await ask()
    return await gateway.recorder('stop')
  } finally {
    await gateway.stop()
  }
}

/** The figures of a trail, in the order of COLUMNS. */
function measure(calls: readonly TracedFunction[]): readonly string[] {
  const files = filesOf(calls)
  const loose = files.filter((file) => !file.includes('/'))
  const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]))
  const moves = calls.filter(({ file }, index) => index > 0 && calls[index - 1]?.file !== file)
  const passed = (some: readonly TracedFunction[]): string => `${some.length} in ${filesOf(some).length}`
  return [
    ...[calls.length, new Set(calls).size, files.length].map(String),
    `${folders.size} + ${loose.length}`,
    String(moves.length),
    passed(calls.filter(({ takesExchange }) => takesExchange)),
    passed(calls.filter(({ takesBody }) => takesBody)),
  ]
}

function filesOf(calls: readonly TracedFunction[]): string[] {
  return [...new Set(calls.map(({ file }) => file))]
}

/** The files of a trail in the order in which it first comes to them, with the calls in each. */
function listFiles(calls: readonly TracedFunction[]): string {
  const counts = Map.groupBy(calls, ({ file }) => file)
  return [...counts].map(([file, some]) => `${String(some.length).padStart(5)}  ${file}\n`).join('')
}

const args = process.argv.slice(2)
const isListing = args.includes('--files')
const root = resolve(args.find((arg) => arg !== '--files') ?? new URL('..', import.meta.url).pathname)
const copy = mkdtempSync(join(tmpdir(), 'nexcode-trace-'))
const upstream = startUpstream()
try {
  const functions = await instrument(root, copy)
  const lists: string[] = []
  process.stdout.write(`| request | ${COLUMNS.join(' | ')} |\n|${'---|'.repeat(COLUMNS.length + 1)}\n`)
  for (const kind of KINDS) {
    const trail = await trace(kind, copy, `http://127.0.0.1:${upstream.port}/v1`)
    const calls = trail.flatMap((id) => functions[id] ?? [])
    process.stdout.write(`| ${kind.name} | ${measure(calls).join(' | ')} |\n`)
    lists.push(`\n${kind.name}\n${listFiles(calls)}`)
  }
  if (isListing) process.stdout.write(lists.join(''))
} finally {
  await upstream.stop(true)
  rmSync(copy, { recursive: true, force: true })
}
