import {
  ANY,
  CHAT,
  chatWith,
  JSON_TYPE,
  LINE_ENDS,
  LONG_EVENTS,
  type LoopCase,
  MIB,
  SMALL,
  SMALL_STREAM,
  times,
} from './loop-case.ts'

/** Of these an extension gets a hundred thousand from a megabyte: so much less of them is enough. */
const DENSE: ReadonlySet<string> = new Set(['short-events', 'comments', 'data-lines'])
const DENSE_PART = 8

/** What extensions read. */
export function readByExtensions(mib: number): LoopCase[] {
  const bytes = mib * MIB
  const read = (id: string, how: string, body: Uint8Array, play = ''): LoopCase => ({
    ...{ id: `extension-${id}`, rig: 'extended', target: CHAT, statuses: ANY, body },
    headers: { ...JSON_TYPE, 'x-how': how, ...(play !== '' && { 'x-play': play }) },
  })
  const text = chatWith(`"${times('a', bytes)}"`)
  const messages = chatWith(`[${times('{"role":"user","content":"hello there"},', bytes / 2)}{}]`)
  return [
    ...(['request.json', 'context.body', 'request.text', 'request.bytes'] as const).flatMap((how) => [
      read(`${how}-text`, how, text),
      read(`${how}-messages`, how, messages),
    ]),
    ...(['response.json', 'response.text', 'response.changed'] as const).flatMap((how) =>
      ['text', 'values', 'vectors'].map((kind) => read(`${how}-${kind}`, how, SMALL, `${kind} ${mib}`)),
    ),
    read('response.json-gzip', 'response.json', SMALL, `values ${mib} gzip`),
    ...[...LONG_EVENTS, ...LINE_ENDS, 'events', 'short-events', 'comments', 'data-lines'].map((kind) =>
      read(`events-${kind}`, 'events', SMALL_STREAM, `${kind} ${DENSE.has(kind) ? Math.ceil(mib / DENSE_PART) : mib}`),
    ),
  ]
}
