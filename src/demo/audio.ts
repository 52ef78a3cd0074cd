import type { FormCall, JsonCall, SimulatedAnswer } from './call.ts'
import { readModel, readString } from './read-field.ts'
import { missingModel, missingParameter } from './refusals.ts'

const samplesPerSecond = 8000
const samples = samplesPerSecond / 4

/** `POST /v1/audio/speech`: a quarter of a second of a tone, as WAV whatever the format asked for. */
export function answerSpeech({ body }: JsonCall): SimulatedAnswer {
  readModel(body)
  const input = readString(body, 'input')
  if (input === undefined) throw missingParameter('input')
  return { kind: 'bytes', bytes: tone(300 + (input.length % 300)), contentType: 'audio/wav' }
}

/** `POST /v1/audio/transcriptions` and `…/translations` (OpenAI specification: CreateTranscriptionResponseJson, …VerboseJson). */
export function answerTranscription({ form }: FormCall): SimulatedAnswer {
  const file = form.get('file')
  if (!(file instanceof File)) throw missingParameter('file')
  if (typeof form.get('model') !== 'string') throw missingModel()
  const text = `This is a simulated transcription from NexCode: no model was asked. The file has ${file.size} bytes.`
  switch (form.get('response_format') ?? 'json') {
    case 'text':
      return { kind: 'bytes', bytes: new TextEncoder().encode(`${text}\n`), contentType: 'text/plain; charset=utf-8' }
    case 'verbose_json':
      return { kind: 'json', value: { task: 'transcribe', language: 'english', duration: 1, text, segments: [] } }
    default:
      return { kind: 'json', value: { text, usage: { type: 'duration', seconds: 1 } } }
  }
}

/** A square tone as a WAV file: RIFF header, PCM, one channel, 8 bits. */
function tone(frequencyHz: number): Uint8Array<ArrayBuffer> {
  const header = 44
  const file = new DataView(new ArrayBuffer(header + samples))
  const write = (at: number, text: string) => {
    for (const [index, character] of [...text].entries()) file.setUint8(at + index, character.charCodeAt(0))
  }
  write(0, 'RIFF')
  file.setUint32(4, file.byteLength - 8, true)
  write(8, 'WAVEfmt ')
  file.setUint32(16, 16, true)
  file.setUint16(20, 1, true)
  file.setUint16(22, 1, true)
  file.setUint32(24, samplesPerSecond, true)
  file.setUint32(28, samplesPerSecond, true)
  file.setUint16(32, 1, true)
  file.setUint16(34, 8, true)
  write(36, 'data')
  file.setUint32(40, samples, true)
  for (let at = 0; at < samples; at += 1) {
    file.setUint8(header + at, Math.floor((at * 2 * frequencyHz) / samplesPerSecond) % 2 === 0 ? 118 : 138)
  }
  return new Uint8Array(file.buffer)
}
