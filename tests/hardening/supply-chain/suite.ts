import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BINARY } from '../../helpers/gateway-under-test.ts'
import type { HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { buildIn, compareBuilds, firstDifference } from './compare-builds.ts'
import { findLoaded, TRAPS } from './hostile-folder.ts'
import { lockProblems, readLock } from './lockfile.ts'
import { findUnlisted, readSbom } from './sbom.ts'

/** One thing to be looked at: its faults, in words. */
interface Check {
  readonly id: string
  /** Given an empty folder, and the binary. */
  readonly look: (folder: string, binary: string) => Promise<readonly string[]> | readonly string[]
}

const CHECKS: readonly Check[] = [
  { id: 'lockfile', look: () => lockProblems(readLock()) },
  { id: 'sbom-lists-the-bundle', look: async () => findUnlisted(await readSbom()) },
  { id: 'sbom-is-the-same-twice', look: async () => differ('bill of materials', [await readSbom(), await readSbom()]) },
  { id: 'two-builds', look: (folder) => compareBuilds(folder) },
  ...TRAPS.map((trap) => ({
    id: `hostile-${trap.id}`,
    look: (folder: string, binary: string) => findLoaded(trap, folder, [binary]),
  })),
]

/** Those of the short form: the traps that each read differently, and what needs one build only. */
const IN_SHORT: ReadonlySet<string> = new Set([
  'lockfile',
  'sbom-lists-the-bundle',
  'hostile-dotenv',
  'hostile-bunfig-preload',
])

/** Promise 13: what ships is what was reviewed. */
export const suite: HardeningSuite = {
  number: 13,
  name: 'supply-chain',
  promise: 'What ships is what was reviewed',

  async prove() {
    const lock = readLock()
    const [name = ''] = Object.keys(lock.packages).filter((path) => path !== '')
    const loose = {
      ...lock,
      packages: { ...lock.packages, [name]: { version: '1.0.0', resolved: 'http://127.0.0.1/x.tgz' } },
    }
    if (lockProblems(loose).length === 0)
      throw new Error('A package without a digest, from another place, went unseen.')
    const sbom = JSON.parse(await readSbom()) as { components: { name: string }[] }
    const short = { ...sbom, components: sbom.components.filter((component) => component.name !== 'yaml') }
    if ((await findUnlisted(JSON.stringify(short))).length === 0)
      throw new Error('A package that is not listed went unseen.')
    if (firstDifference(Buffer.from('one'), Buffer.from('ona')) === undefined)
      throw new Error('A difference went unseen.')
    await inFolder(async (folder) => {
      // The runtime itself, as it is without our flags: it loads what lies there.
      const plain = [process.execPath, '-e', 'console.log(JSON.stringify(process.env))']
      const preload = TRAPS.find(({ id }) => id === 'bunfig-preload')
      if (preload === undefined) throw new Error('There is no trap with a preloaded module.')
      const loaded = await findLoaded(preload, folder, plain)
      if (loaded.length === 0) throw new Error('A module that was loaded from the folder went unseen.')
    })
  },

  async run({ only, isShort, report }: HardeningRun): Promise<HardeningResult> {
    const failures: { id: string; message: string }[] = []
    const checks = CHECKS.filter(({ id }) => (only === undefined ? !isShort || IN_SHORT.has(id) : id === only))
    await withBinary(async (binary) => {
      for (const { id, look } of checks) {
        report(id)
        const faults = await inFolder(async (folder) => await look(folder, binary))
        failures.push(...faults.map((message) => ({ id, message })))
      }
    })
    const loaded = failures.filter(({ id }) => id.startsWith('hostile-')).length
    const areBuildsEqual = !failures.some(({ id }) => id === 'two-builds')
    return { cases: checks.length, failures, figures: { loaded, 'builds are equal': areBuildsEqual ? 'yes' : 'no' } }
  },
}

/** The binary under test; without one it is built. */
async function withBinary(use: (binary: string) => Promise<void>): Promise<void> {
  if (BINARY !== undefined) await use(BINARY)
  else await inFolder(async (folder) => await use(await buildIn(folder)))
}

function differ(what: string, [one, other]: readonly [string, string]): string[] {
  return one === other ? [] : [`Two times the ${what} of one lockfile are two texts.`]
}

async function inFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'supply-chain-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
