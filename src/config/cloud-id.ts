/** The name that Elastic Cloud gives a deployment, which holds the address of its Elasticsearch. */
import { bad, good } from '../base/units.ts'
import type { Kind } from './kinds.ts'

const wayOut = 'copy it whole from the page of the deployment in Elastic Cloud: NAME:BASE64'

/**
 * `NAME:BASE64`, where the second part is `HOST[:PORT]$ELASTICSEARCH[:PORT]$KIBANA`. Read as the URL of Elasticsearch.
 * Source: Elastic documentation, "Find your Cloud ID"; libbeat, `cloudid.go`. No message repeats it, as with a URL.
 */
export const cloudId: Kind<string> = {
  words: 'cloud id',
  bounds: 'NAME:BASE64',
  show: (value) => value,
  parse(text) {
    if (text.length > 1024) return bad('it is longer than 1024 characters', wayOut)
    const encoded = text.slice(text.lastIndexOf(':') + 1)
    if (!/^[A-Za-z0-9+/_-]+=*$/.test(encoded)) return bad('what follows its last colon is not base64', wayOut)
    const [host = '', elasticsearch = ''] = Buffer.from(encoded, 'base64').toString('utf8').split('$')
    const [domain = '', commonPort = '443'] = host.split(':')
    const [id = '', port = commonPort] = elasticsearch.split(':')
    if (!isName(domain) || !isName(id)) return bad('there is no address of an Elasticsearch in it', wayOut)
    const url = URL.parse(`https://${id}.${domain}:${port}`)
    if (url === null || !/^\d{1,5}$/.test(port)) return bad('the port in it is none', wayOut)
    return good(url.origin)
  },
}

const isName = (name: string) => /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(name)
