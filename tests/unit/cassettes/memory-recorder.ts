import type { Cassette, NamedCassette } from '../../../src/cassettes/cassette.ts'
import type { CassetteFolder } from '../../../src/cassettes/cassette-folder.ts'
import { openWriter } from '../../../src/cassettes/cassette-folder.ts'
import type { ReceivedRequest } from '../../../src/cassettes/describe-request.ts'
import { type CassetteRecorder, createCassetteRecorder } from '../../../src/cassettes/recorder.ts'

/** SHA-256 of bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher('sha256').update(bytes).digest()
}

/** Bytes of a text in UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

/** A folder in memory. */
export interface MemoryFolder extends CassetteFolder {
  readonly files: Map<string, string>
}

/** Makes a folder of these files. */
export function memoryFolder(files: Readonly<Record<string, string>> = {}): MemoryFolder {
  const held = new Map(Object.entries(files))
  return {
    files: held,
    list: async () => [...held.keys()],
    read: async (name) => held.get(name) ?? '',
    probe: async () => undefined,
    async create(name, text) {
      if (held.has(name)) return false
      held.set(name, text)
      return true
    },
  }
}

/** A chat request; `body` is sent as JSON. */
export function asked(body: unknown, more: Partial<ReceivedRequest> = {}): ReceivedRequest {
  return {
    method: 'POST',
    target: '/v1/chat/completions',
    headers: new Headers({ 'content-type': 'application/json' }),
    body: utf8(JSON.stringify(body)),
    ...more,
  }
}

/** A cassette of a chat request. */
export function cassetteOf(
  name: string,
  json: unknown,
  response: Cassette['response'] = { status: 200, body: { text: name } },
): NamedCassette {
  return {
    name,
    cassette: { cassette: 1, request: { method: 'POST', path: '/v1/chat/completions', body: { json } }, response },
  }
}

/** A recorder into a folder in memory, with a clock that the test turns. */
export interface MemoryRecorder {
  readonly recorder: CassetteRecorder
  readonly folder: MemoryFolder
  readonly clock: { ms: number }
  /** The lines of the log. */
  readonly lines: { readonly level: string; readonly fields: object; readonly text: string }[]
  readonly written: NamedCassette[]
  /** The files, parsed. */
  readonly cassettes: () => Cassette[]
}

/** Opens a recorder that knows these secrets. */
export async function openMemoryRecorder(
  secrets: readonly string[] = [],
  folder = memoryFolder(),
): Promise<MemoryRecorder> {
  const lines: { level: string; fields: object; text: string }[] = []
  const written: NamedCassette[] = []
  const clock = { ms: 0 }
  const line = (level: string) => (fields: object, text?: string) =>
    void lines.push({ level, fields, text: text ?? '' })
  const recorder = createCassetteRecorder({
    writer: await openWriter(folder, sha256),
    log: { info: line('info'), warn: line('warn'), error: line('error') } as Parameters<
      typeof createCassetteRecorder
    >[0]['log'],
    secrets: () => secrets,
    sha256,
    now: () => clock.ms,
    date: () => new Date(Date.UTC(2026, 0, 2)),
    onWritten: (named) => void written.push(named),
  })
  const cassettes = (): Cassette[] => [...folder.files.values()].map((text) => JSON.parse(text) as Cassette)
  return { recorder, folder, clock, lines, written, cassettes }
}
