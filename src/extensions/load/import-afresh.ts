import { createRequire } from 'node:module'
import { Type } from '@sinclair/typebox'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'

/** How long a module may await something at its top level. */
const IMPORT_MS_MAX = 10_000
const LEFTOVER_MS_MAX = 500

const { cache } = createRequire(import.meta.url)
let isProvided = false

/**
 * Forgets modules, so that the next import reads and runs them again. The old ones still work for code that holds them.
 *
 * @example
 * forgetModules(files)
 */
export function forgetModules(files: Iterable<string>): void {
  // Deleted by name, because the cache does not list a failed module, which would fail for ever.
  for (const file of files) Reflect.deleteProperty(cache, file)
}

/**
 * Imports a file of the user's by its absolute path. TypeScript runs as it is, also in the compiled program, and the file may import the
 * module `nexcode`. Rejects with the error that the file throws, and after ten seconds of awaiting.
 *
 * Nothing can end a file that never gives up the thread.
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
 * Runs the modules that a failed import has read but not run. The runtime can't forget a module before it has run.
 *
 * @example
 * await runLeftovers(files)
 */
export async function runLeftovers(files: Iterable<string>): Promise<void> {
  for (const file of files) await ignoreRejection(importFile(file, LEFTOVER_MS_MAX))
}

/** Makes `import { Type } from 'nexcode'` work without an installed package. */
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
