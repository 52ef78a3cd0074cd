import { createRequire } from 'node:module'
import { Type } from '@sinclair/typebox'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'

/** How long a module may take with what it awaits at its top. */
const IMPORT_MS_MAX = 10_000
const LEFTOVER_MS_MAX = 500

const { cache } = createRequire(import.meta.url)
let isProvided = false

/**
 * Forgets modules, so that importing them reads and runs them anew; whoever holds the old ones keeps them.
 *
 * @example
 * forgetModules(files)
 */
export function forgetModules(files: Iterable<string>): void {
  // By name: a module that has failed is not listed, and would fail for ever.
  for (const file of files) Reflect.deleteProperty(cache, file)
}

/**
 * Imports a file of the user's by its absolute path; TypeScript runs as it is, also in the compiled program, and `nexcode` is a
 * module that it may import. Rejects with whatever the file throws, and where it awaits for more than ten seconds.
 *
 * One that never gives up the thread can't be ended.
 *
 * @example
 * const { default: extension } = await importFile('/srv/hello.ts')
 */
export async function importFile(path: string, limitMs = IMPORT_MS_MAX): Promise<{ readonly default?: unknown }> {
  provideModule()
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    const late = new Error(`it still awaits something at its top after ${limitMs} ms`)
    timer = setTimeout(() => reject(late), limitMs)
  })
  try {
    const imported: { readonly default?: unknown } = await Promise.race([import(path), limit])
    return imported
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Runs modules that a failed import has left read but not run: as they are, the runtime could not be made to forget them.
 *
 * @example
 * await runLeftovers(files)
 */
export async function runLeftovers(files: Iterable<string>): Promise<void> {
  for (const file of files) await ignoreRejection(importFile(file, LEFTOVER_MS_MAX))
}

/** Has `import { Type } from 'nexcode'` work with nothing installed. */
function provideModule(): void {
  if (isProvided) return
  isProvided = true
  Bun.plugin({
    name: 'nexcode',
    setup(build) {
      build.module('nexcode', () => ({ loader: 'object', exports: { Type } }))
    },
  })
}
