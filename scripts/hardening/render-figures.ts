import type { HardeningResult } from '../../tests/hardening/suite.ts'

/** Figures as one line, such as `extra upstream requests 0, hangs 0`. */
export function renderFigures(figures: HardeningResult['figures']): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? value.toLocaleString('en') : value}`)
    .join(', ')
    .replaceAll(/\s+/g, ' ')
}
