#!/usr/bin/env bun
import { raiseRequestCapacity } from './cli/request-capacity.ts'

// First, and before anything heavy is loaded: it may start this program anew.
raiseRequestCapacity(process.argv.slice(2))

const { run } = await import('./cli/run.ts')
await run(process.argv.slice(2))
