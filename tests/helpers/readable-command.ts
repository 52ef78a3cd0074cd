import { copyFileSync, linkSync } from 'node:fs'
import { join } from 'node:path'
import { BINARY, gatewayCommand } from './gateway-under-test.ts'

/**
 * The command line of the program under test out of a folder that every user can read: the checkout may lie in one that
 * only its owner can enter.
 */
export async function readableCommand(folder: string): Promise<string[]> {
  if (BINARY !== undefined) return [place(BINARY, join(folder, 'nexcode'))]
  const [executable = '', main = ''] = gatewayCommand()
  const build = await Bun.build({ entrypoints: [main], outdir: folder, target: 'bun' })
  if (!build.success) throw new AggregateError(build.logs)
  return [place(executable, join(folder, 'bun')), join(folder, 'main.js')]
}

/** A second name costs nothing; another disk takes a copy. */
function place(from: string, to: string): string {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
  return to
}
