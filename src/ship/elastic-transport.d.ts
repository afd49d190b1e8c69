/**
 * Parts of the transport by themselves: its index would load undici, which takes 7 MiB. The package exports these paths, but
 * has declarations for its index only.
 */
declare module '@elastic/transport/lib/Transport.js' {
  export { Transport as default } from '@elastic/transport'
}
declare module '@elastic/transport/lib/Diagnostic.js' {
  export { Diagnostic as default } from '@elastic/transport'
}
declare module '@elastic/transport/lib/Serializer.js' {
  export { Serializer as default } from '@elastic/transport'
}
declare module '@elastic/transport/lib/connection/HttpConnection.js' {
  export { HttpConnection as default } from '@elastic/transport'
}
declare module '@elastic/transport/lib/errors.js' {
  import type { errors } from '@elastic/transport'
  export const ResponseError: typeof errors.ResponseError
  export const TimeoutError: typeof errors.TimeoutError
  export const NoLivingConnectionsError: typeof errors.NoLivingConnectionsError
}
