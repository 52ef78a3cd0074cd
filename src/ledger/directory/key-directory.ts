import { NO_LIMITS } from '../first-records.ts'
import { formerRows } from '../key-digests.ts'
import type { DirectoryRow, Ledger } from '../ledger.ts'
import { parseLimits, stringifyLimits } from '../record-json.ts'
import type { KeyEntry, LedgerRecord, OrganizationRecord, ProjectRecord } from '../records.ts'
import { DigestTable } from './digest-table.ts'

/** The dependencies of a directory. */
export interface KeyDirectoryDeps {
  readonly ledger: Pick<Ledger, 'directory' | 'changesSince' | 'list'>
  /** SHA-256 of a text, as bytes. */
  readonly sha256: (text: string) => Uint8Array
  /** Monotonic, in ms. */
  readonly now: () => number
  /** Hears of each record that was known and is another now, once that one is in force. */
  readonly onEdit?: ((record: LedgerRecord) => void) | undefined
}

/** A table of which so many bytes are of nobody is made anew. */
const WASTED_BYTES_MAX = 32 * 1024 * 1024
const PROJECTS_PER_PAGE = 1000
/** Keys of a look that long ago may not be all that there are. */
const FRESH_MS = 2000

/**
 * All keys in memory: what a request is decided by is there before it comes. It is filled from the ledger once, and follows its changes.
 * While the ledger can't be read, the keys that are known go on.
 *
 * @example
 * const directory = new KeyDirectory({ ledger, sha256, now })
 * await directory.follow()
 * const entry = directory.find(credential)
 */
export class KeyDirectory {
  readonly #deps: KeyDirectoryDeps
  readonly #encoder = new TextEncoder()
  readonly #decoder = new TextDecoder()
  #table = new DigestTable()
  readonly #projects = new Map<string, ProjectRecord>()
  #organization: OrganizationRecord | undefined
  #version = -1
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> = Promise.resolve()

  constructor(deps: KeyDirectoryDeps) {
    this.#deps = deps
  }

  /** Whether the keys of some time are known: all of them, but for the latest where it is not fresh. */
  get isLoaded(): boolean {
    return this.#version !== -1
  }

  /** The version of the ledger's records that are known; -1: none. What is found is good for as long as it stays the same. */
  get version(): number {
    return this.#version
  }

  /** Whether a key that is not found is nobody's: the ledger could be read just now. */
  get isFresh(): boolean {
    return this.#deps.now() - this.#lookedAt < FRESH_MS
  }

  /** The number of digests that a key is found by. */
  get size(): number {
    return this.#table.size
  }

  /** The project of an id, as it was at the last look. */
  project(id: string): ProjectRecord | undefined {
    return this.#projects.get(id)
  }

  /** The limits of all projects together, as they were at the last look. */
  get organization(): OrganizationRecord | undefined {
    return this.#organization
  }

  /** Finds a key; undefined: there is none. One that has expired, or whose project is archived, is found, too. */
  find(credential: string): KeyEntry | undefined {
    const row = this.#table.get(this.#deps.sha256(credential))
    return row === undefined ? undefined : this.#entryOf(this.#decoder.decode(row))
  }

  /**
   * Takes over what has changed in the ledger since the last look, or all of it at the first. Each call looks anew once the looks before
   * it are over, so that what is in the ledger at the call is known then. Rejects with a `LedgerError`; all stays as it was then.
   */
  follow(): Promise<void> {
    const look = async (): Promise<void> => {
      await this.#look()
      this.#lookedAt = this.#deps.now()
    }
    const looking = this.#looking.then(look)
    this.#looking = looking.catch(() => undefined)
    return looking
  }

  async #look(): Promise<void> {
    if (!this.isLoaded || this.#table.wasted > WASTED_BYTES_MAX) return this.#load()
    const changes = await this.#deps.ledger.changesSince(this.#version)
    if (changes === undefined) return
    for (const { id, digests } of changes.removed) {
      for (const digest of digests) this.#table.delete(digest)
      this.#projects.delete(id)
    }
    for (const record of changes.changed) {
      const wasKnown = this.#isKnown(record)
      this.#take(record)
      if (wasKnown) this.#deps.onEdit?.(record)
    }
    this.#version = changes.version
  }

  async #load(): Promise<void> {
    const table = new DigestTable()
    const { version, rows } = await this.#deps.ledger.directory()
    for await (const part of rows) for (const row of part) table.set(row.digest, this.#pack(row))
    const projects = await this.#allProjects()
    const [organization] = (await this.#deps.ledger.list({ kind: 'organization', limit: 1, order: 'asc' })).data
    this.#table = table
    this.#projects.clear()
    for (const project of projects) this.#projects.set(project.id, project)
    this.#organization = organization
    this.#version = version
  }

  async #allProjects(): Promise<readonly ProjectRecord[]> {
    const projects: ProjectRecord[] = []
    const page = { kind: 'project', archived: true, limit: PROJECTS_PER_PAGE, order: 'asc' } as const
    for (let after: string | undefined; ; after = projects.at(-1)?.id) {
      const { data, hasMore } = await this.#deps.ledger.list({ ...page, after })
      projects.push(...data)
      if (!hasMore) return projects
    }
  }

  #isKnown(record: LedgerRecord): boolean {
    if (record.kind === 'organization') return this.#organization !== undefined
    if (record.kind === 'project') return this.#projects.has(record.id)
    return record.kind === 'key' && this.#table.get(Uint8Array.fromHex(record.digest)) !== undefined
  }

  #take(record: LedgerRecord): void {
    if (record.kind === 'project') this.#projects.set(record.id, record)
    else if (record.kind === 'organization') this.#organization = record
    else if (record.kind === 'key' || record.kind === 'admin_key') {
      const { id, kind, expiresAt = 0 } = record
      const projectId = record.kind === 'key' ? record.projectId : ''
      const limits = record.kind === 'key' ? stringifyLimits(record.limits) : undefined
      const row = { digest: Uint8Array.fromHex(record.digest), id, kind, projectId, expiresAt, limits }
      const former = record.kind === 'key' ? (record.former ?? []) : []
      for (const one of [...formerRows(row, former), row]) this.#table.set(one.digest, this.#pack(one))
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
