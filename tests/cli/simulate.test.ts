import { expect, setDefaultTimeout, test } from 'bun:test'
import OpenAI from 'openai'
import { freePort } from '../helpers/free-port.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { runProgram, startProgram } from '../helpers/run-program.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

test('simulate is an OpenAI without a model, on the port that is asked for: the official client talks to it', async () => {
  const port = await freePort()
  const program = startProgram(['simulate', '--port', String(port)], { LOG_FORMAT: 'pretty' })
  await program.until(`http://127.0.0.1:${port}/v1`)
  const client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'sk-any', maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'Hello' }]
  const chat = await client.chat.completions.create({ model: 'gpt-4o', messages })
  expect(chat.choices[0]?.message.content).toContain('simulated')
  const limited: unknown = await client.chat.completions.create({ model: 'simulate-429', messages }).catch((e) => e)
  expect(limited).toBeInstanceOf(OpenAI.RateLimitError)
  program.child.kill('SIGTERM')
  expect(await program.child.exited).toBe(0)
})

test('its first line is JSON where a program reads it, and a gateway can be put before it', async () => {
  const simulated = await startGateway({ env: { HOST: '' }, command: [...gatewayCommand(), 'simulate', '--port', '0'] })
  expect(simulated.lines[0]).toMatchObject({ msg: 'listening', base_url: `http://127.0.0.1:${simulated.port}/v1` })
  const gateway = await startGateway({
    env: { OPENAI_API_BASE: `http://127.0.0.1:${simulated.port}/v1` },
    command: gatewayCommand(),
  })
  expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(200)
  await gateway.stop()
  await simulated.stop()
})

test('a port that is no port ends with 2, and one in use with 1, each with the cure', async () => {
  const bad = await runProgram(['simulate', '--port', 'eighty'])
  expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('--port "eighty" is not a whole number.') })
  const other = await startScriptedUpstream((_request, connection) => connection.json({}))
  const taken = await runProgram(['simulate', '--port', String(other.port)])
  expect(taken).toMatchObject({ code: 1, stderr: expect.stringContaining('set --port to another one (--port 0 takes') })
  await other.close()
})
