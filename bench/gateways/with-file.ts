import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Gateway, Place } from './gateway.ts'
import { nexcode } from './nexcode.ts'

/**
 * NexCode with a configuration file that names the mock upstream, and says what `settings` gives beside that; it is told the
 * folder of the file.
 */
export function withFile(name: string, settings: (dir: string) => object): Gateway {
  return {
    ...nexcode,
    name,
    launch(place: Place) {
      const launch = nexcode.launch(place)
      mkdirSync(place.dir, { recursive: true })
      const path = join(place.dir, 'nexcode.yaml')
      const upstreams = { mock: { base_url: `http://127.0.0.1:${place.upstreamPort}/v1`, auth: 'caller' } }
      writeFileSync(path, JSON.stringify({ upstreams, ...settings(place.dir) }))
      return { ...launch, env: { ...launch.env, NEXCODE_CONFIG: path } }
    },
  }
}
