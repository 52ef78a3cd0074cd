import type { SectionReader } from '../../file/section-reader.ts'
import type { RulePart } from './param-rule.ts'

/** Reports names that are given to a parameter of another object, to itself, or in a circle, over all rules. */
export function checkRenames(reader: SectionReader, parts: readonly RulePart[]): void {
  const next = new Map<string, Set<string>>()
  for (const part of parts) {
    for (const [from, to] of Object.entries(part.rename ?? {})) {
      const at = [...reader.pathOf(part), 'rename', from]
      if (from === to) {
        reader.add(at, { wrong: 'is its own new name', cure: 'Take it out.' })
      } else if (parentOf(from) !== parentOf(to)) {
        const cure = `Keep what stands before the last dot: a parameter keeps its place in its object.`
        reader.add(at, { wrong: 'is a name in another object', cure })
      } else if (leads(next, to, from)) {
        const cure = 'Take one of these renames out.'
        reader.add(at, { wrong: 'leads back, by the renames of the file, to the name that it replaces', cure })
      } else {
        next.set(from, (next.get(from) ?? new Set()).add(to))
      }
    }
  }
}

/** Whether one name becomes another by some renames. There is no circle among them. */
function leads(next: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  return from === to || [...(next.get(from) ?? [])].some((name) => leads(next, name, to))
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')))
}
