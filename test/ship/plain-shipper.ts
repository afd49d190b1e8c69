import { Shipper } from '../../src/ship/shipper.ts'
import type { ShipperOptions } from '../../src/ship/shipper-options.ts'

/** One that sends to a single server, for models of many: nobody listens to it, and no document is refused for good. */
export function plainShipper(
  own: Pick<ShipperOptions, 'clock' | 'random' | 'batchBytes' | 'concurrencyMax' | 'send'>,
): Shipper {
  return new Shipper({
    ...own,
    target: 'logs',
    severalIndices: false,
    nodes: 1,
    health: () => {},
    deadLetter: () => 'none is expected',
    outcome: () => {},
    doubts: undefined,
    blind: () => {},
  })
}
