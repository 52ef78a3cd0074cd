import type { DirectoryRow, Ledger } from '../ledger.ts'
import { parseLimits, stringifyLimits } from '../record-json.ts'
import type { LedgerRecord, Limits, OrganizationRecord, ProjectRecord } from '../records.ts'
import { DigestTable } from './digest-table.ts'

/** A key as requests know it, with all that it is decided by. */
export interface KeyEntry {
  readonly id: string
  readonly kind: DirectoryRow['kind']
  /** In seconds since 1970; 0: never. */
  readonly expiresAt: number
  readonly limits: Limits
  /** undefined: an admin key's. */
  readonly project: ProjectRecord | undefined
  readonly organization: OrganizationRecord | undefined
}

/** How many callers are known by their credential, without a digest of it. */
const KNOWN_MAX = 10_000
/** A table of which so many bytes are of nobody is made anew. */
const WASTED_BYTES_MAX = 32 * 1024 * 1024
const PROJECTS_PER_PAGE = 1000
const NO_LIMITS: Limits = Object.freeze({ spend: {}, rates: [] })

/**
 * All keys in memory: what a request is decided by is there before it comes. It is filled from the ledger once, and follows its changes.
 * While the ledger can't be read, the keys that are known go on.
 *
 * @example
 * const directory = new KeyDirectory(ledger, sha256)
 * await directory.load()
 * const entry = directory.find(credential)
 */
export class KeyDirectory {
  readonly #ledger: Pick<Ledger, 'directory' | 'changesSince' | 'list'>
  readonly #sha256: (text: string) => Uint8Array
  readonly #encoder = new TextEncoder()
  readonly #decoder = new TextDecoder()
  #table = new DigestTable()
  readonly #projects = new Map<string, ProjectRecord>()
  #organization: OrganizationRecord | undefined
  readonly #known = new Map<string, KeyEntry>()
  #version = -1

  /** `sha256`: of a text, as bytes. */
  constructor(ledger: Pick<Ledger, 'directory' | 'changesSince' | 'list'>, sha256: (text: string) => Uint8Array) {
    this.#ledger = ledger
    this.#sha256 = sha256
  }

  /** Whether all keys are known. Before that, a key that is not found may be one that there is. */
  get isLoaded(): boolean {
    return this.#version !== -1
  }

  /** The number of keys. */
  get size(): number {
    return this.#table.size
  }

  /** Finds a key; undefined: there is none. One that has expired is found, too. */
  find(credential: string): KeyEntry | undefined {
    const known = this.#known.get(credential)
    if (known !== undefined) return known
    const row = this.#table.get(this.#sha256(credential))
    if (row === undefined) return undefined
    const entry = this.#entryOf(this.#decoder.decode(row))
    if (this.#known.size >= KNOWN_MAX) this.#known.clear()
    this.#known.set(credential, entry)
    return entry
  }

  /** Reads all keys anew. Rejects with a `LedgerError`; the directory stays as it was then. */
  async load(): Promise<void> {
    const table = new DigestTable()
    const { version, rows } = await this.#ledger.directory()
    for await (const part of rows) for (const row of part) table.set(row.digest, this.#pack(row))
    const projects: ProjectRecord[] = []
    for (let after: string | undefined; ; after = projects.at(-1)?.id) {
      const page = await this.#ledger.list({
        kind: 'project',
        archived: true,
        limit: PROJECTS_PER_PAGE,
        order: 'asc',
        after,
      })
      projects.push(...page.data)
      if (!page.hasMore) break
    }
    const [organization] = (await this.#ledger.list({ kind: 'organization', limit: 1, order: 'asc' })).data
    this.#table = table
    this.#projects.clear()
    for (const project of projects) this.#projects.set(project.id, project)
    this.#organization = organization
    this.#known.clear()
    this.#version = version
  }

  /** Takes over what has changed in the ledger since the last look. Rejects with a `LedgerError`. */
  async follow(): Promise<void> {
    if (!this.isLoaded || this.#table.wasted > WASTED_BYTES_MAX) return this.load()
    const changes = await this.#ledger.changesSince(this.#version)
    if (changes === undefined) return
    for (const { id, digest } of changes.removed) {
      if (digest !== undefined) this.#table.delete(digest)
      this.#projects.delete(id)
    }
    for (const record of changes.changed) this.#take(record)
    this.#known.clear()
    this.#version = changes.version
  }

  #take(record: LedgerRecord): void {
    if (record.kind === 'project') this.#projects.set(record.id, record)
    else if (record.kind === 'organization') this.#organization = record
    else if (record.kind === 'key' || record.kind === 'admin_key') {
      const { id, kind, expiresAt = 0 } = record
      const projectId = record.kind === 'key' ? record.projectId : ''
      const limits = record.kind === 'key' ? stringifyLimits(record.limits) : undefined
      const digest = Uint8Array.fromHex(record.digest)
      this.#table.set(digest, this.#pack({ digest, id, kind, projectId, expiresAt, limits }))
    }
  }

  #pack({ id, kind, projectId, expiresAt, limits = '' }: DirectoryRow): Uint8Array {
    return this.#encoder.encode([id, kind, projectId, expiresAt, limits].join('\n'))
  }

  #entryOf(row: string): KeyEntry {
    const [id = '', kind, projectId = '', expiresAt, limits = ''] = row.split('\n')
    return {
      id,
      kind: kind === 'admin_key' ? 'admin_key' : 'key',
      expiresAt: Number(expiresAt),
      limits: limits === '' ? NO_LIMITS : parseLimits(limits),
      project: this.#projects.get(projectId),
      organization: this.#organization,
    }
  }
}
