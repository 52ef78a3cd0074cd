import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { freePort } from '../helpers/free-port.ts'
import { type RunningProgram, startOnTerminal, startProgram } from '../helpers/run-program.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'

setDefaultTimeout(60_000)

const CHAT = { model: 'smart', messages: [{ role: 'user', content: 'hi' }], stream: true }

let upstream: ScriptedUpstream
let file: ConfigFile
beforeAll(async () => {
  upstream = await startScriptedUpstream((_request, connection) => {
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk('data: [DONE]\n\n')
    connection.endChunks()
  })
  const dead = await freePort()
  file = writeConfigFile(
    JSON.stringify({
      upstreams: { good: { base_url: `${upstream.url}/v1` }, dead: { base_url: `http://127.0.0.1:${dead}/v1` } },
      models: { smart: { targets: [{ upstream: 'good', model: 'real' }] }, gone: { targets: [{ upstream: 'dead' }] } },
      params: [
        { match: { model: 'other' }, deny: ['seed'] },
        { match: { model: 'smart' }, deny: ['user'] },
      ],
    }),
  )
})
afterAll(async () => {
  await upstream.close()
  file.remove()
})

const ENV = { HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'pretty' }

async function urlOf(program: RunningProgram): Promise<string> {
  const text = Bun.stripANSI(await program.until('/docs'))
  const url = /docs +(\S+)\/docs/.exec(text)?.[1]
  if (url === undefined) throw new Error(`There is no URL in ${text}`)
  return url
}

function post(url: string, body: object, path = '/v1/chat/completions'): Promise<string> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return fetch(`${url}${path}`, init).then((answer) => answer.text())
}

test('a person sees one line for each exchange, none for probes, and details where something went wrong', async () => {
  const program = startProgram(['--config', file.path], ENV)
  const url = await urlOf(program)
  await fetch(`${url}/health`)
  await fetch(`${url}/ready`)
  await post(url, CHAT)
  await post(url, { ...CHAT, user: 'x' })
  await post(url, CHAT, '/v1/chat/completion?key=sk-secret')
  await post(url, CHAT, '/v1/v1/chat/completions')
  await post(url, { ...CHAT, model: 'gone' })
  const text = await program.until('attempts=')
  await program.stop()
  const lines = text.slice(text.indexOf('Stop with')).split('\n').slice(2)
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d INFO {2}200 {2}POST {2}chat\.completions {2}smart → good\/real {2}\d+ ms {2}local {2}complete \(stream\)$/,
  )
  expect(lines[1]).toMatch(
    / INFO {2}400 {2}POST .* refused {2}parameter_not_allowed {2}by rule 2 {2}\/v1\/chat\/completions$/,
  )
  expect(text).toMatch(/ INFO {2}404 {2}POST .* \/v1\/v1\/chat\/completions$/m)
  expect(text).toMatch(
    / WARN {2}502 {2}POST .* gone → dead\/gone .* upstream_unreachable: nothing listens there \(ECONNREFUSED\)/,
  )
  expect(text).toMatch(/^ {16}try 1 {2}dead\/gone {2}no answer/m)
  expect(text).not.toMatch(/ health | ready /)
  expect(text).not.toContain('sk-secret')
  expect(text).not.toContain('\u001b')
})

test('colours: a terminal has them, a pipe only where FORCE_COLOR says so, and NO_COLOR takes them away', async () => {
  const cases: readonly (readonly [typeof startProgram, Readonly<Record<string, string>>, boolean])[] = [
    [startOnTerminal, {}, true],
    [startOnTerminal, { NO_COLOR: '1' }, false],
    [startProgram, { FORCE_COLOR: '1' }, true],
  ]
  for (const [start, env, hasColor] of cases) {
    const program = start(['--config', file.path], { ...ENV, ...env })
    await post(await urlOf(program), CHAT)
    const text = await program.until('complete (stream)')
    await program.stop()
    expect(text.includes('\u001b[32m200\u001b[0m')).toBe(hasColor)
  }
})

test('at debug it says of each exchange which rules it was subject to, what was tried, and of probes that they came', async () => {
  const program = startProgram(['--config', file.path], { ...ENV, LOG_LEVEL: 'debug' })
  const url = await urlOf(program)
  await fetch(`${url}/health`)
  await post(url, CHAT)
  const text = await program.until('rules=[2]')
  await program.stop()
  expect(text).toMatch(/ DEBUG 200 {2}GET {3}health /)
  expect(text).toMatch(/^ {16}try 1 {2}good\/real {2}200 {2}\d+ ms$/m)
  expect(text).toMatch(/^ {16}request_id=\S+ .*attempts=1 connection=new .*rules=\[2\]$/m)
})
