import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import type { HardeningResult } from '../../tests/hardening/suite.ts'

/** A whole run of a suite, as docs/reliability.md tells of it. */
export interface RecordedSuite {
  readonly number: number
  readonly name: string
  readonly cases: number
  readonly failures: number
  readonly figures: HardeningResult['figures']
  readonly seconds: number
  readonly seed: number
  /** `2026-11-30`. */
  readonly date: string
  /** The commit that was run. */
  readonly commit: string
  readonly machine: string
}

const FILE = new URL('../../tests/hardening/results.json', import.meta.url)

/** What has been recorded, by number and name; none where nothing has been yet. */
export function readResults(): readonly RecordedSuite[] {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as readonly RecordedSuite[]) : []
}

/** Puts runs in the place of older ones of the same suites. */
export function recordResults(fresh: readonly RecordedSuite[]): void {
  const kept = readResults().filter(({ name }) => !fresh.some((one) => one.name === name))
  const all = [...kept, ...fresh].sort((a, b) => a.number - b.number || a.name.localeCompare(b.name))
  writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`)
}

/** The machine in a few words, such as `2 cores of …, 24 GB, Linux 6.8`. */
export function describeMachine(): string {
  const all = cpus()
  const model = (all[0]?.model ?? 'unknown').replace(/\s+/g, ' ').trim()
  const system = `${type()} ${release().split('.').slice(0, 2).join('.')}`
  return `${all.length} cores of ${model}, ${Math.round(totalmem() / 2 ** 30)} GB, ${system}`
}

/** The commit that is checked out, `+` behind it where files differ from it. */
export function describeCommit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}
