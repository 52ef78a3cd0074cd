import { describe, expect, test } from 'bun:test'
import { createSimulatedOpenAI } from '../../../src/demo/simulated-openai.ts'
import { jsonOf, openai, post } from './simulated-calls.ts'

function form(path: string, fields: Record<string, string | File>): Request {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.set(name, value)
  return new Request(`http://simulated${path}`, { method: 'POST', body })
}

function ask(path: string, method = 'GET'): Request {
  return new Request(`http://simulated${path}`, { method })
}

describe('simulated files', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256)
  const upload = () => form('/v1/files', { file: new File([bytes], 'data.bin'), purpose: 'user_data' })

  test('are kept and given back, byte for byte, until they are deleted', async () => {
    const { fetch } = createSimulatedOpenAI()
    const stored = (await (await fetch(upload())).json()) as { id: string }
    expect(stored).toEqual({
      id: expect.stringMatching(/^file-simulated-[0-9a-f]{16}$/),
      object: 'file',
      bytes: 300,
      created_at: 1735689600,
      filename: 'data.bin',
      purpose: 'user_data',
      status: 'processed',
    } as never)
    expect(await (await fetch(ask(`/v1/files/${stored.id}`))).json()).toEqual(stored)
    expect(await (await fetch(ask(`/v1/files/${stored.id}/content`))).bytes()).toEqual(bytes)
    expect(await (await fetch(ask('/v1/files'))).json()).toMatchObject({ data: [stored], first_id: stored.id })
    expect(await (await fetch(ask('/v1/files?purpose=batch'))).json()).toMatchObject({ data: [] })
    const deleted = await fetch(ask(`/v1/files/${stored.id}`, 'DELETE'))
    expect(await deleted.json()).toEqual({ id: stored.id, object: 'file', deleted: true })
    expect((await fetch(ask(`/v1/files/${stored.id}`))).status).toBe(404)
    expect((await fetch(ask(`/v1/files/${stored.id}`, 'DELETE'))).status).toBe(404)
  })

  test('have the same id for the same upload, and belong to one simulation', async () => {
    const [one, other] = [createSimulatedOpenAI(), createSimulatedOpenAI()]
    const first = (await (await one.fetch(upload())).json()) as { id: string }
    expect(await (await one.fetch(upload())).json()).toEqual(first)
    expect(await (await one.fetch(ask('/v1/files'))).json()).toMatchObject({ data: [first] })
    expect((await other.fetch(ask(`/v1/files/${first.id}`))).status).toBe(404)
  })

  test('make room for newer ones, the oldest first', async () => {
    const { fetch } = createSimulatedOpenAI()
    for (let index = 0; index < 70; index += 1) {
      await fetch(form('/v1/files', { file: new File([`${index}`], `${index}.txt`), purpose: 'batch' }))
    }
    const { data } = (await (await fetch(ask('/v1/files'))).json()) as { data: { filename: string }[] }
    expect(data.length).toBe(64)
    expect(data[0]?.filename).toBe('6.txt')
    expect(data.at(-1)?.filename).toBe('69.txt')
  })

  test('are refused without a file, a purpose or a form', async () => {
    const file = new File(['a'], 'a.txt')
    const requests = [
      form('/v1/files', { purpose: 'batch' }),
      form('/v1/files', { file }),
      post('/v1/files', { purpose: 'batch' }),
      post('/v1/files', 'no form at all', { 'content-type': 'multipart/form-data; boundary=x' }),
    ]
    const errors = await Promise.all(requests.map((request) => jsonOf<{ error: object }>(request)))
    expect(errors).toMatchObject([
      { error: { param: 'file' } },
      { error: { param: 'purpose' } },
      { error: { code: 'unsupported_content_type' } },
      { error: { type: 'invalid_request_error' } },
    ])
  })
})

describe('simulated audio', () => {
  test('speaks as a WAV file, the same for the same text', async () => {
    const speak = () => openai.fetch(post('/v1/audio/speech', { model: 'tts-1', voice: 'alloy', input: 'Hello' }))
    const [first, second] = await Promise.all([speak(), speak()])
    expect(first.headers.get('content-type')).toBe('audio/wav')
    const bytes = await first.bytes()
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe('RIFF')
    expect(new DataView(bytes.buffer).getUint32(4, true)).toBe(bytes.byteLength - 8)
    expect(await second.bytes()).toEqual(bytes)
  })

  test('transcribes by saying that it is simulated and how large the file is', async () => {
    const transcribe = (fields: Record<string, string | File>, kind = 'transcriptions') =>
      openai.fetch(form(`/v1/audio/${kind}`, { file: new File(['12345'], 'a.wav'), model: 'whisper-1', ...fields }))
    const text = 'This is a simulated transcription from NexCode: no model was asked. The file has 5 bytes.'
    expect(await (await transcribe({})).json()).toMatchObject({ text })
    expect(await (await transcribe({}, 'translations')).json()).toMatchObject({ text })
    expect(await (await transcribe({ response_format: 'verbose_json' })).json()).toMatchObject({ text, duration: 1 })
    expect(await (await transcribe({ response_format: 'text' })).text()).toBe(`${text}\n`)
  })

  test('refuses speech without a text, and a transcription without a file or model', async () => {
    const requests = [
      post('/v1/audio/speech', { model: 'tts-1' }),
      form('/v1/audio/transcriptions', { model: 'whisper-1' }),
      form('/v1/audio/transcriptions', { file: new File(['1'], 'a.wav') }),
    ]
    const errors = await Promise.all(requests.map((request) => jsonOf<{ error: object }>(request)))
    expect(errors).toMatchObject([
      { error: { param: 'input' } },
      { error: { param: 'file' } },
      { error: { message: 'you must provide a model parameter' } },
    ])
  })
})

describe('simulated moderation', () => {
  test('flags nothing, with one result for each text', async () => {
    const answer = await jsonOf<{ results: { flagged: boolean }[] }>(post('/v1/moderations', { input: ['a', 'b'] }))
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^modr-simulated-/),
      model: 'omni-moderation-latest',
      results: [{ flagged: false, categories: { hate: false }, category_scores: { hate: 0 } }, { flagged: false }],
    })
    expect((await openai.fetch(post('/v1/moderations', {}))).status).toBe(400)
  })
})
