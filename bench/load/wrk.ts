import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { provideTool } from '../provide-tool.ts'
import { CACHE_DIR } from '../run-process.ts'
import type { RequestFigures, Target } from './load.ts'

/** Writes a body to a file of its own, for tools that read it from there. */
export function writeBody(body: string): string {
  const dir = join(CACHE_DIR, 'bodies')
  mkdirSync(dir, { recursive: true })
  const path = join(dir, `${Bun.hash(body).toString(16)}.json`)
  writeFileSync(path, body)
  return path
}

/** Sends requests with `wrk`, each connection the next one as soon as the last is answered. */
export async function runWrk(target: Target, connections: number, seconds: number): Promise<RequestFigures> {
  const headers = Object.entries(target.headers).flat()
  const child = Bun.spawn(
    [
      provideTool('wrk'),
      '--threads=1',
      `--connections=${connections}`,
      `--duration=${seconds}s`,
      '--timeout=30s',
      '-s',
      join(import.meta.dir, 'wrk-post.lua'),
      target.url,
      '--',
      writeBody(target.body),
      ...headers,
    ],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  )
  const [output, problem] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  const json = /^JSON (.*)$/m.exec(output)?.[1]
  if (json === undefined) throw new Error(`wrk gave no figures: ${problem.trim() || output.trim()}`)
  return JSON.parse(json) as RequestFigures
}
