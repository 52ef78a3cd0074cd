import {
  ANSWERS,
  ANY,
  CHAT,
  chatWith,
  JSON_TYPE,
  LINE_ENDS,
  LONG_EVENTS,
  type LoopCase,
  SMALL,
  SMALL_STREAM,
} from './loop-case.ts'
import type { RigName } from './rigs.ts'

/** Small requests whose answers are large. */
export function largeAnswers(mib: number): LoopCase[] {
  const plays = [...ANSWERS, ...LONG_EVENTS, ...LINE_ENDS]
  const play = (kind: string): string => `${kind} ${mib}`
  const ask = (id: string, rig: RigName, played: string, more: Readonly<Record<string, string>> = {}): LoopCase => {
    const isStream = !/^(?:text|escapes|values|vectors|models|ids)/.test(played)
    // What is asked for is no part of a key by itself.
    const headers = { ...JSON_TYPE, 'x-play': played, 'x-nexcode-cache-key': id, ...more }
    return { id, rig, target: CHAT, headers, body: isStream ? SMALL_STREAM : SMALL, statuses: ANY }
  }
  return [
    ...plays.map((kind) => ask(`answer-${kind}`, 'named', play(kind))),
    ...plays.map((kind) => ({
      ...ask(`alias-${kind}`, 'named', play(kind)),
      body: chatWith('0', 'smart', ',"stream":true'),
    })),
    ...['text', 'values', 'events', 'one-event', 'line-feeds'].map((kind) => ({
      ...ask(`alias-gzip-${kind}`, 'named', `${play(kind)} gzip`),
      body: chatWith('0', 'smart', ',"stream":true'),
    })),
    ...plays.map((kind) =>
      ask(`asked-answer-${kind}`, 'kept', play(kind), { 'cache-control': 'no-cache', 'x-nexcode-cache-ttl': '60' }),
    ),
    ...plays.map((kind) => ask(`kept-answer-${kind}`, 'kept', play(kind), { 'x-nexcode-cache-ttl': '60' })),
    ...['values', 'events'].map((kind) =>
      ask(`asked-answer-gzip-${kind}`, 'kept', `${play(kind)} gzip`, {
        'cache-control': 'no-cache',
        'x-nexcode-cache-ttl': '60',
      }),
    ),
    ...plays.map((kind) => ask(`once-answer-${kind}`, 'kept', play(kind), { 'idempotency-key': `answer-${kind}` })),
    ...['text', 'values', 'page'].flatMap((kind) =>
      ['identity', 'gzip'].map((coding) =>
        ask(`error-${kind}-${coding}`, 'named', `${play(kind)} ${coding} 500`, { 'x-kind': 'error' }),
      ),
    ),
    { ...ask('models', 'named', play('models')), target: '/v1/models', method: 'GET', body: Buffer.alloc(0) },
    { ...ask('ids', 'named', play('ids')), target: '/v1/responses', body: Buffer.from('{"model":"m","input":"hi"}') },
  ]
}
