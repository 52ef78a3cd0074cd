import { type SimulatedServer, startSimulatedServer } from '../../src/cli/simulated-server.ts'
import type { SimulatedOpenAIOptions } from '../../src/demo/simulated-openai.ts'
import { type Env, startTestGateway, type TestGateway } from './start-gateway.ts'

/** A gateway in front of a simulated OpenAI, and the base URLs of both. */
export interface SimulatedGateway {
  readonly gateway: TestGateway
  /** With `/v1`: the simulated OpenAI itself. */
  readonly directBaseUrl: string
  /** With `/v1`: the gateway in front of it. */
  readonly throughBaseUrl: string
  readonly close: () => Promise<void>
}

/** Starts a simulated OpenAI that does not dawdle, and a gateway in front of it. */
export async function startSimulatedGateway(
  env: Env = {},
  options: SimulatedOpenAIOptions = {},
): Promise<SimulatedGateway> {
  const simulated: SimulatedServer = startSimulatedServer({ chunkDelayMs: 0, ...options })
  const gateway = await startTestGateway({ OPENAI_API_BASE: `${simulated.url}/v1`, ...env })
  return {
    gateway,
    directBaseUrl: `${simulated.url}/v1`,
    throughBaseUrl: `${gateway.url}/v1`,
    async close() {
      await gateway.stop()
      simulated.close()
    },
  }
}
