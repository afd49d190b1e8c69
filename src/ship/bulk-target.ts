import { hasDate } from '../base/placeholders.ts'

/** Where bulk requests go to. */
export interface BulkTarget {
  readonly path: string
  readonly querystring: Readonly<Record<string, string>>
}

/**
 * Source: Elasticsearch reference, "Bulk API", path and query parameters.
 *
 * @param target  index, alias or data stream; with a date in it each document names its index itself
 */
export function bulkTargetOf(target: string, pipeline?: string, routing?: string): BulkTarget {
  return {
    path: hasDate(target) ? '/_bulk' : `/${encodeURIComponent(target)}/_bulk`,
    querystring: {
      ...(pipeline !== undefined && { pipeline }),
      ...(routing !== undefined && { routing }),
    },
  }
}
