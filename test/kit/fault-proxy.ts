export { type Fault, type Passing, type Phase, type Strike } from './fault-proxy/plan.ts'
export { FaultProxy } from './fault-proxy/proxy.ts'
