#!/usr/bin/env -S bun --no-env-file
import { raiseRequestCapacity } from './cli/request-capacity.ts'
import { forgetDotEnv } from './process/dot-env.ts'

// Before anything looks at the environment.
forgetDotEnv()
// Then, and before anything heavy is loaded: it may start this program anew.
raiseRequestCapacity(process.argv.slice(2))

const { run } = await import('./cli/run.ts')
await run(process.argv.slice(2))
