/** Preloaded by `bun run coverage`: a source that no test loads counts too, with none of its lines covered. */
import { Glob } from 'bun'

// The entry is left out, for loading it starts the program.
for (const file of new Glob('src/**/*.ts').scanSync('.')) {
  if (file !== 'src/main.ts') await import(`../${file}`)
}
