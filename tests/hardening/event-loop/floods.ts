import {
  BOUNDARY,
  CHAT,
  chatWith,
  FORM_TYPE,
  formWith,
  JSON_TYPE,
  type LoopCase,
  MIB,
  SERVED,
  times,
} from './loop-case.ts'

/** Very many of something small. */
export function floods(mib: number): LoopCase[] {
  const bytes = mib * MIB
  const form = (part: string): Buffer => Buffer.from(`${times(part, bytes / 2)}--${BOUNDARY}--\r\n`)
  const target = '/v1/audio/transcriptions'
  const part = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n`
  const fields = times('a=1&', bytes / 2)
  const chunked = (id: string, chunkBytes: number, body: Uint8Array): LoopCase => ({
    ...{ id, rig: 'ruled', target: CHAT, headers: JSON_TYPE, body, chunkBytes, statuses: SERVED },
  })
  return [
    chunked('flood-chunks-of-1', 1, chatWith(`"${times('a', bytes / 9)}"`)),
    chunked('flood-chunks-of-2', 2, chatWith(`"${times('a', bytes / 5)}"`)),
    chunked('flood-chunks-of-17', 17, chatWith(`"${times('a', bytes / 2)}"`)),
    { ...chunked('flood-chunks-kept', 1, chatWith(`"${times('a', bytes / 9)}"`)), rig: 'kept' },
    { ...chunked('flood-chunks-read', 1, chatWith(`"${times('a', bytes / 9)}"`)), rig: 'extended' },
    {
      ...{ id: 'flood-parts', rig: 'ruled', target, headers: FORM_TYPE, body: form(part) },
      statuses: [200, 400, 413],
    },
    {
      ...{ id: 'flood-parts-once', rig: 'kept', target, body: form(part), statuses: [200, 400, 413] },
      headers: { ...FORM_TYPE, 'idempotency-key': 'parts' },
    },
    ...(['ruled', 'kept', 'extended'] as const).map(
      (rig): LoopCase => ({
        ...{ id: `flood-fields-${rig}`, rig, target, body: Buffer.from(fields), statuses: [200, 400, 413] },
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'idempotency-key': 'fields' },
      }),
    ),
    ...['smart', 'capped'].map(
      (model): LoopCase => ({
        ...{ id: `form-file-${model}`, rig: 'ruled', target, statuses: [200, 400, 413] },
        ...{ headers: FORM_TYPE, body: formWith(model, times('a', bytes)) },
      }),
    ),
    ...['\r\n', '\n', '\r'].map(
      (line, at): LoopCase => ({
        ...{ id: `form-file-lines-${at}`, rig: 'ruled', target, statuses: [200, 400, 413] },
        ...{ headers: FORM_TYPE, body: formWith('smart', times(line, bytes)) },
      }),
    ),
    ...['smart', 'capped', 'ruled', 'defaulted'].map(
      (model): LoopCase => ({
        ...{ id: `edited-${model}`, rig: 'ruled', target: CHAT, headers: JSON_TYPE, statuses: SERVED },
        body: chatWith(`"${times('a', bytes)}"`, model),
      }),
    ),
    ...['smart', 'capped', 'ruled'].map(
      (model): LoopCase => ({
        ...{ id: `edited-messages-${model}`, rig: 'ruled', target: CHAT, headers: JSON_TYPE, statuses: [200, 413] },
        body: chatWith(`[${times('{"role":"user","content":"hello there"},', bytes / 2)}{}]`, model),
      }),
    ),
    {
      ...{ id: 'edited-unnamed', rig: 'ruled', target: CHAT, headers: JSON_TYPE, statuses: [200, 400, 413] },
      body: Buffer.from(`{"messages":[{"role":"user","content":"${times('a', bytes)}"}]}`),
    },
    ...['files', 'batches'].map(
      (path): LoopCase => ({
        ...{ id: `upload-${path}`, rig: 'ruled', target: `/v1/${path}`, statuses: [200, 400, 413] },
        ...{ headers: FORM_TYPE, body: formWith('m', times('{"a":1}\n', bytes)) },
      }),
    ),
  ]
}
