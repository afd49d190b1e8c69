import { startElasticsearch } from '../kit/elasticsearch/server.ts'

// A process that starts a server, says where it is, and waits to be killed; it ends with its own owner too.
const server = await startElasticsearch({ user: { name: 'tester', password: 'pässwörd' } })
const privileges = { cluster: ['monitor'], index: [{ names: ['logs-generic-default'], privileges: ['create_doc'] }] }
const answer = await server.request('POST', '/_security/user/_has_privileges', privileges)
const { url, directory } = server
console.log(JSON.stringify({ url, directory, authorized: answer.status }))
process.stdin.on('end', () => process.exit(1)).resume()
