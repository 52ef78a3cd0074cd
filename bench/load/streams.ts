import { join } from 'node:path'
import type { StreamFigures } from './load.ts'
import type { StreamLoad } from './stream-load.ts'

/** Keeps streams open with `stream-load.ts`, in a process of its own. */
export async function runStreams(load: StreamLoad): Promise<StreamFigures> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'stream-load.ts')], {
    stdin: new Blob([JSON.stringify(load)]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [output, problem] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`the stream load failed: ${problem.trim()}`)
  return JSON.parse(output) as StreamFigures
}
