import { jsonSchema } from '../config/file-schema.ts'
import { writeOut } from './write-out.ts'

/** Prints the JSON Schema of the configuration file, for editors that complete and check it. */
export async function schema(): Promise<number> {
  await writeOut(process.stdout, `${JSON.stringify(jsonSchema(), null, 2)}\n`)
  return 0
}
