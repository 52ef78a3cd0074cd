import type { Random } from '../random.ts'

/** A key of a race, with its limit. */
export interface RaceKey {
  readonly id: string
  readonly projectId: string
  readonly secret: string
  /** In nano-dollars. */
  readonly limit: bigint
}

/** The keys of a race, made as they are needed: some to a project, whose own budget is less than theirs together. */
export interface RaceKeys {
  readonly key: (number: number) => Promise<RaceKey>
  readonly made: () => Promise<readonly RaceKey[]>
  /** The limits of the projects. */
  readonly projects: () => Promise<ReadonlyMap<string, bigint>>
}

/** Asks the Administration API of whichever node answers, and again until one does. */
export type Administer = (
  method: string,
  path: string,
  body?: object,
  /** Absent: that of the administrator. */
  key?: string,
) => Promise<Record<string, unknown>>

const KEYS_OF_PROJECT = 4
/** What a call costs on average, in nano-dollars. */
const MEAN = 500_000
const NANO_CENTS = 10_000_000

const centsOf = (nano: bigint): number => Number(nano) / NANO_CENTS

/** Makes the keys of a race, each with a budget of so many mean calls, about. */
export function createRaceKeys(administer: Administer, random: Random, callsOfKey: number): RaceKeys {
  const projects: Promise<{ readonly id: string; readonly limit: bigint }>[] = []
  const keys: Promise<RaceKey>[] = []
  const makeProject = async (): Promise<{ id: string; limit: bigint }> => {
    const limit = BigInt(Math.round(MEAN * callsOfKey * KEYS_OF_PROJECT * 0.9))
    const { id } = await administer('POST', '/projects', { name: 'race', spend_limit: { month: centsOf(limit) } })
    return { id: String(id), limit }
  }
  const makeKey = async (number: number): Promise<RaceKey> => {
    const at = Math.floor(number / KEYS_OF_PROJECT)
    projects[at] ??= makeProject()
    const { id: projectId } = await projects[at]
    const limit = BigInt(Math.round(MEAN * callsOfKey * (0.5 + random.below(1000) / 1000)))
    const made = await administer('POST', `/projects/${projectId}/service_accounts`, {
      name: `race ${number}`,
      spend_limit: { month: centsOf(limit) },
    })
    const { id, value } = made['api_key'] as { readonly id: string; readonly value: string }
    return { id, projectId, secret: value, limit }
  }
  return {
    key(number) {
      keys[number] ??= makeKey(number)
      return keys[number]
    },
    made: () => Promise.all(keys),
    projects: async () => new Map((await Promise.all(projects)).map(({ id, limit }) => [id, limit])),
  }
}
