import { SniffingTransport } from '@elastic/elasticsearch'

type Options = ConstructorParameters<typeof SniffingTransport>[0]

/**
 * The client's transport without its check of the product: that refuses every 2xx without the header `X-Elastic-Product`,
 * which OpenSearch does not send and a proxy may drop. What answers in the place of a server is known by its answers: a
 * bulk answer must be whole, with an item for each document (`answer.ts`), and so must those of `lookup.ts`.
 */
export class AnyServerTransport extends SniffingTransport {
  constructor({ productCheck: _of, ...options }: Options) {
    super(options)
  }
}
