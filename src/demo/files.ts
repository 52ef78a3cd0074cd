import type { FormCall, SimulatedAnswer, SimulatedCall } from './call.ts'
import { fingerprint } from './fingerprint.ts'
import { missingParameter, SimulatedError } from './refusals.ts'

interface StoredFile {
  readonly object: {
    readonly id: string
    readonly object: 'file'
    readonly bytes: number
    readonly created_at: number
    readonly filename: string
    readonly purpose: string
    readonly status: 'processed'
  }
  readonly contentType: string
  readonly content: Uint8Array<ArrayBuffer>
}

const filesMax = 64
const bytesKeptMax = 128 * 1024 * 1024

/**
 * The `/v1/files` endpoints (OpenAI specification: OpenAIFile), over files kept in memory.
 *
 * At most 64 files and 128 MiB are kept: the oldest make room. The same upload gives the same id.
 */
export function createFiles() {
  const stored = new Map<string, StoredFile>()

  function find(id: string): StoredFile {
    const file = stored.get(id)
    if (file === undefined) {
      throw new SimulatedError({ status: 404, message: `No such File object: ${id}`, param: 'id' })
    }
    return file
  }

  function makeRoom() {
    let bytesKept = 0
    for (const [index, [id, { content }]] of [...stored].reverse().entries()) {
      bytesKept += content.byteLength
      if (index >= filesMax || bytesKept > bytesKeptMax) stored.delete(id)
    }
  }

  return {
    async answerUpload({ form, created }: FormCall): Promise<SimulatedAnswer> {
      const file = form.get('file')
      const purpose = form.get('purpose')
      if (!(file instanceof File)) throw missingParameter('file')
      if (typeof purpose !== 'string') throw missingParameter('purpose')
      const content = new Uint8Array(await file.arrayBuffer())
      const id = `file-simulated-${fingerprint(purpose, file.name, content)}`
      const object = {
        id,
        object: 'file' as const,
        bytes: content.byteLength,
        created_at: created,
        filename: file.name,
        purpose,
        status: 'processed' as const,
      }
      stored.delete(id)
      stored.set(id, { object, content, contentType: file.type || 'application/octet-stream' })
      makeRoom()
      return { kind: 'json', value: { ...object } }
    },

    answerList({ query }: SimulatedCall): SimulatedAnswer {
      const purpose = query.get('purpose')
      const data = [...stored.values()]
        .map(({ object }) => ({ ...object }))
        .filter((object) => purpose === null || object.purpose === purpose)
      const ends = { first_id: data.at(0)?.id ?? null, last_id: data.at(-1)?.id ?? null }
      return { kind: 'json', value: { object: 'list', data, ...ends, has_more: false } }
    },

    answerFile({ id }: SimulatedCall): SimulatedAnswer {
      return { kind: 'json', value: { ...find(id).object } }
    },

    answerContent({ id }: SimulatedCall): SimulatedAnswer {
      const { content, contentType } = find(id)
      return { kind: 'bytes', bytes: content, contentType }
    },

    answerDeletion({ id }: SimulatedCall): SimulatedAnswer {
      find(id)
      stored.delete(id)
      return { kind: 'json', value: { id, object: 'file', deleted: true } }
    },
  }
}
