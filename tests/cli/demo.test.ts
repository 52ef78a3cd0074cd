import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { runProgram, startOnTerminal, startProgram } from '../helpers/run-program.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { until } from '../helpers/until.ts'

setDefaultTimeout(60_000)

describe('nexcode demo', () => {
  test('--once sends one real streamed chat through the gateway, prints the answer and exits 0', async () => {
    const { code, stdout, stderr } = await runProgram(['demo', '--once'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/you +What is NexCode\?/)
    expect(stdout).toMatch(/answer +\S.{20,}/)
    expect(stdout).toContain('simulated')
    expect(stdout).toMatch(/cost +\$0\.0000\d+: \d+ tokens read, \d+ written; booked to its key\n/)
    const key = /key +(sk-nex-\w+)\n/.exec(stdout)?.[1]
    expect(stdout).toContain(`api_key="${key}"`)
    const url = /NexCode at (http:\/\/127\.0\.0\.1:\d+),/.exec(stdout)?.[1]
    expect(stdout).toContain(`base_url="${url}/v1"`)
    expect(stdout).toContain(`baseURL: '${url}/v1'`)
    expect(stdout).toContain(`curl ${url}/v1/chat/completions`)
    expect(stdout).toContain(`${url}/docs`)
    // The last words are true: nothing is there any more.
    expect(stdout.trimEnd()).toEndWith('It has ended, since --once was given; nexcode demo goes on until Ctrl-C.')
  })

  test('needs no key and no network: a key, an upstream and a proxy that are set play no part in it', async () => {
    const other = await startScriptedUpstream((_request, connection) => connection.json({}))
    const { code, stdout } = await runProgram(['demo', '--once'], {
      OPENAI_API_BASE: `${other.url}/v1`,
      OPENAI_BASE_URL: `${other.url}/v1`,
      OPENAI_API_KEY: 'sk-must-not-be-spent',
      OPENAI_API_KEY_FILE: '/nowhere',
      OPENAI_ORG_ID: 'org-1',
      LEDGER: 'sqlite:/nowhere/ledger.db',
      LIMITS: 'redis://127.0.0.1:1',
      TLS_CERT_FILE: '/nowhere',
      TLS_KEY_FILE: '/nowhere',
      REQUIRE_AUTH: 'true',
      API_TOKEN: 'a-token-of-more-than-16-characters',
      HTTP_PROXY: other.url,
      http_proxy: other.url,
      ALL_PROXY: other.url,
    })
    expect(stdout).not.toContain('failed')
    expect(code).toBe(0)
    expect(other.connectionCount()).toBe(0)
    await other.close()
  })

  test('--once exits 1 if it failed: a port in use, with the cure', async () => {
    const other = await startScriptedUpstream((_request, connection) => connection.json({}))
    const { code, stderr } = await runProgram(['demo', '--once'], { PORT: String(other.port) })
    expect(code).toBe(1)
    expect(stderr).toContain(`port ${other.port} is in use on 127.0.0.1. Stop the program that holds it, or set PORT`)
    await other.close()
  })

  test('--once exits 1 if it failed: no answer came', async () => {
    const { code, stdout } = await runProgram(['demo', '--once'], { FIRST_BYTE_TIMEOUT_MS: '1' })
    expect(stdout).toContain('The chat failed: 504')
    expect(code).toBe(1)
  })

  test('exits 2 where the configuration is not valid', async () => {
    const { code, stderr } = await runProgram(['demo', '--once'], { PORT: 'eight' })
    expect(code).toBe(2)
    expect(stderr).toStartWith('PORT ')
  })

  test('takes PORT, stays up after the answer, serves others, and ends with 0 at SIGINT', async () => {
    const program = startProgram(['demo'])
    const shown = await program.until('Stop with Ctrl-C')
    const url = /NexCode at (http:\/\/127\.0\.0\.1:\d+),/.exec(shown)?.[1]
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"messages":[{"role":"user","content":"Hello"}]}',
    })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ object: 'chat.completion', model: expect.stringContaining('gpt-3.5') })
    const fault = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"simulate-429","messages":[{"role":"user","content":"Hello"}]}',
    })
    expect(fault.status).toBe(429)
    program.child.kill('SIGINT')
    expect(await program.child.exited).toBe(0)
    await program.stop()
  })

  test('says what each call with its key costs, and its books can be read by the command that it shows', async () => {
    const program = startProgram(['demo'])
    const shown = await program.until('Stop with Ctrl-C')
    const url = /NexCode at (http:\/\/127\.0\.0\.1:\d+),/.exec(shown)?.[1] ?? ''
    const key = /key +(sk-nex-\w+)\n/.exec(shown)?.[1] ?? ''
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}',
    })
    expect(answer.status).toBe(200)
    await answer.text()
    expect(await program.until('  call')).toMatch(/call +gpt-4o +\d+ read, \d+ written {2}\$0\.0\d+\n/)
    const env = { ADMIN_KEY: /ADMIN_KEY=(\S+) nexcode usage/.exec(shown)?.[1] ?? '' }
    await until(async () => /^all +2 /m.test((await runProgram(['usage', '--by', 'key', '--url', url], env)).stdout))
    await program.stop()
  })

  test('looks the same on a terminal', async () => {
    const program = startOnTerminal(['demo'])
    expect(await program.until('Stop with Ctrl-C')).toMatch(/answer +\S.{20,}/)
    program.child.terminal?.write('\x03')
    expect(await program.child.exited).toBe(0)
    await program.stop()
  })
})
