import { CHAT, chatWith, FORM_TYPE, formWith, JSON_TYPE, type LoopCase, MIB, SERVED, times } from './loop-case.ts'

/** Bodies of requests for which an answer may be kept, or is to be made once. */
export function comparedBodies(mib: number): LoopCase[] {
  const bytes = mib * MIB
  const bodies: readonly (readonly [id: string, body: Uint8Array])[] = [
    ['text', chatWith(`"${times('a', bytes)}"`)],
    ['escapes', chatWith(`"${times('\\n\\"', bytes)}"`)],
    ['not-ascii', chatWith(`"${times('é漢', bytes)}"`)],
    ['messages', chatWith(`[${times('{"role":"user","content":"hello there"},', bytes / 2)}{}]`)],
    ['spaced', chatWith(`[${times('1 , \n', bytes / 8)}1]`)],
    ['members', chatWith(`{${Array.from({ length: 19_000 }, (_, at) => `"n${19_000 - at}":${at}`).join()}}`)],
  ]
  const ways: readonly (readonly [way: string, headers: Readonly<Record<string, string>>])[] = [
    ['asked', { 'cache-control': 'no-cache' }],
    ['kept', {}],
    ['once', { 'idempotency-key': 'ID' }],
  ]
  return [
    ...bodies.flatMap(([body, bytes]) =>
      ways.map(([way, headers]): LoopCase => {
        const own = way === 'once' ? { 'idempotency-key': `once-${body}` } : headers
        return {
          ...{ id: `${way}-${body}`, rig: 'kept', target: CHAT, statuses: [200, 413] },
          ...{ headers: { ...JSON_TYPE, 'x-nexcode-cache-ttl': '60', ...own }, body: bytes },
        }
      }),
    ),
    ...['file', 'lines'].map((file): LoopCase => {
      const content = file === 'file' ? times('a', bytes) : times('\r\n--', bytes)
      return {
        ...{ id: `once-form-${file}`, rig: 'kept', target: '/v1/audio/transcriptions', statuses: SERVED },
        ...{ headers: { ...FORM_TYPE, 'idempotency-key': `form-${file}` }, body: formWith('whisper-1', content) },
      }
    }),
  ]
}
